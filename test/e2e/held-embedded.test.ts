import { describeHeld } from './held.ts';

describeHeld('embedded', () => Promise.resolve({}));
