import { describeReplayRestart } from './replay-restart.ts';

describeReplayRestart('embedded', { twinsPerCrash: 0, open: () => Promise.resolve({}) });
