import { setTimeout as sleep } from 'node:timers/promises';
import tasker, { RetryableError } from 'tasker';

const ready = await sleep(1, 'awaited');

export default () => ({ ready, same: globalThis.tasker.RetryableError === RetryableError, all: tasker.Deferred.name });

export function fails() {
  throw new RetryableError('again', { retryAfter: 2 });
}
