/** Calls a listener of the user. If it throws, that is the listener's fault: a warning tells of it, and the transfer goes on. */
export function callListener(call: () => void): void {
  try {
    call();
  } catch (fault) {
    process.emitWarning(`A listener for TFTP events failed: ${String(fault)}`);
  }
}
