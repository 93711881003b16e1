import { describeLabResults } from './lab-results.ts';

// With nothing compiled, which is what the first start of a user takes.
describeLabResults('the embedded broker', () => Promise.resolve({ NODE_COMPILE_CACHE: undefined }));
