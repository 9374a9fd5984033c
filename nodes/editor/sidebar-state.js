// What the sidebar knows of the transfers: a snapshot of the runtime's, kept up to date by deltas.
// Pure: no page, no clock, no network.
(function () {
  'use strict';

  /** The runtime remembers no more than so many that have ended, and failures before those. */
  const FINISHED_KEPT = 100;
  const OLDER_FAILURES_KEPT = 50;

  /** The state before anything is known. */
  function empty() {
    return {
      sequence: undefined,
      clockOffset: 0,
      nodes: new Map(),
      live: new Map(),
      liveCount: 0,
      finished: [],
      totals: undefined,
      throughput: { interval: 5000, end: '', down: [], up: [] },
    };
  }

  /** The state that a snapshot tells; `receivedAt` is the browser's time in milliseconds. */
  function fromSnapshot(snapshot, receivedAt) {
    return {
      sequence: snapshot.sequence,
      clockOffset: Date.parse(snapshot.now) - receivedAt,
      nodes: byId(snapshot.nodes),
      live: byId(snapshot.live),
      liveCount: snapshot.liveCount,
      finished: [...snapshot.finished],
      totals: snapshot.totals,
      throughput: { ...snapshot.throughput },
    };
  }

  /**
   * Changes the state by a delta. Returns false, and changes nothing, if one before it is missing, or
   * it is of a runtime that has started since: then a snapshot is needed. A delta that the snapshot
   * already holds changes nothing.
   */
  function apply(state, delta) {
    if (delta.totals.since !== state.totals.since) return false;
    if (delta.sequence <= state.sequence) return true;
    if (delta.sequence !== state.sequence + 1) return false;
    state.sequence = delta.sequence;
    for (const node of delta.nodes ?? []) state.nodes.set(node.id, node);
    for (const row of delta.started) state.live.set(row.id, row);
    delta.progress.forEach((entry) => moveOn(state, entry));
    for (const id of delta.gone ?? []) state.live.delete(id);
    finish(state, delta.finished);
    state.liveCount = delta.liveCount;
    state.totals = delta.totals;
    addBuckets(state.throughput, delta.throughput ?? []);
    return true;
  }

  function byId(list) {
    return new Map(list.map((item) => [item.id, item]));
  }

  function moveOn(state, entry) {
    const [id, bytes, size, rate, averageRate, eta, elapsed, retransmits, duplicates, attempt] =
      entry;
    const row = state.live.get(id);
    if (row === undefined) return;
    const percent = size ? Math.min(100, (bytes / size) * 100) : null;
    Object.assign(row, { event: 'progress', bytes, size, percent, rate, averageRate });
    Object.assign(row, { eta, elapsed, retransmits, duplicates });
    row.retry = attempt > 0 ? { ...row.retry, attempt } : undefined;
  }

  function finish(state, rows) {
    for (const { id } of rows) state.live.delete(id);
    const added = new Set(rows.map(({ id }) => id));
    const others = state.finished.filter(({ id }) => !added.has(id));
    state.finished = bounded([...rows, ...others]);
  }

  function bounded(rows) {
    const older = rows.slice(FINISHED_KEPT).filter((row) => outcomeOf(row) === 'failed');
    return [...rows.slice(0, FINISHED_KEPT), ...older.slice(0, OLDER_FAILURES_KEPT)];
  }

  /** The first delta after a snapshot may repeat buckets that the snapshot holds. */
  function addBuckets(throughput, buckets) {
    const known = buckets.findIndex(({ end }) => end === throughput.end);
    for (const { end, down, up } of buckets.slice(known + 1)) {
      throughput.down = [...throughput.down.slice(1), down];
      throughput.up = [...throughput.up.slice(1), up];
      throughput.end = end;
    }
  }

  /** How a row stands: running, completed, failed, cancelled, or quiet: a probe or an expected failure. */
  function outcomeOf({ event, error }) {
    if (event === 'complete') return 'completed';
    if (event === 'probe') return 'probe';
    if (event !== 'error') return 'running';
    if (error?.expected) return 'expected';
    return error?.code === 'ECANCELED' ? 'cancelled' : 'failed';
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.state = { empty, fromSnapshot, apply, outcomeOf };
})();
