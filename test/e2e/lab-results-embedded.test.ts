import { describeLabResults } from './lab-results.ts';

describeLabResults('the embedded broker', () => Promise.resolve({}));
