import { startDemoEhr } from '../../connectors/demo/ehr.ts';
import { createMllpSource } from '../../connectors/mllp/server.ts';
import { isAcknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import { readHeader } from '../../core/hl7v2/header.ts';
import { acknowledge } from '../acknowledge.ts';
import { runChild } from '../process/child.ts';

/** The demo partners listen on loopback only, wherever Hilum itself does. */
const host = '127.0.0.1';

runChild('demo', async ({ settings, logger }) => {
  const ehr = await startDemoEhr({ host, port: settings.ehrPort, logger });
  const receiver = createMllpSource({
    host,
    port: settings.receiverPort,
    maxFrameBytes: 64 * 1024 * 1024,
    idleTimeoutMs: 0,
    logger,
    accept: ({ bytes }) => Promise.resolve(answer(bytes)),
  });
  await receiver.start();
  return {
    stop: async () => {
      await receiver.stop({ drainMs: 1_000 });
      await ehr.close();
    },
  };
});

function answer(bytes: Uint8Array): Uint8Array | undefined {
  const read = readHeader(bytes);
  const header = read.ok ? read.header : undefined;
  if (header !== undefined && isAcknowledgment(header)) return undefined;
  const [code, issues] = read.ok ? (['AA', []] as const) : (['AR', read.issues] as const);
  return acknowledge(header, code, issues, Date.now());
}
