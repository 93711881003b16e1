// Replaced by the nodes' and the console's builds.
export {};
