const { RetryableError } = globalThis.tasker;

export default async function () {
  return typeof RetryableError;
}

export const extra = () => 'extra';
