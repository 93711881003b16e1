export const type = 'switch';

/**
 * The node of Node-RED's own that runs inside of this one, in the folder `core` of `@node-red/nodes`. The
 * build takes the editor's form, texts and help from there.
 */
export const coreNode = 'function/10-switch';
