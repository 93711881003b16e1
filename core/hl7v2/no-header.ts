import type { Issue } from '../issue.ts';

/** Why a text whose first character of content stands at `start` is no message: there is no MSH there. */
export function buildNoHeader(text: string, start: number): Issue {
  if (start === text.length) {
    return refuse('message-empty', 'Expected a message that starts with MSH, found nothing');
  }
  if (text.startsWith('FHS', start) || text.startsWith('BHS', start)) {
    const message = 'Expected one message that starts with MSH, found a batch; split it first';
    return refuse('batch-unsplit', message);
  }
  const message = 'Expected a message that starts with MSH, found something else';
  return refuse('header-missing', message);
}

function refuse(code: string, message: string): Issue {
  return { code, severity: 'fatal', location: 'MSH', message };
}
