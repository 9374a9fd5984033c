// The sidebar's line to the runtime: a snapshot, deltas, and the lease that keeps them coming. It
// asks for nothing while nobody looks.
(function () {
  'use strict';

  const TOPIC = 'tftp/transfers';

  /** The runtime sends deltas for 30 seconds after it was asked to: this leaves room for a lost request. */
  const RENEWAL = 10000;

  /** A snapshot that takes longer does not come. */
  const PATIENCE = 20000;

  /** What was sent before an answer may still be under way when the answer is here. */
  const GRACE = 1500;

  /**
   * Tells `onChange(state, finished)` of each change, with the rows that ended in it, and
   * `onProblem(problem)` of what stands between: 'lost', 'forbidden', 'missing', or undefined once
   * all is well. The rest of `world` is the editor's: `ajax`, `comms`, `now`, `setTimeout`,
   * `clearTimeout`.
   */
  function create(world) {
    let state = tftpSidebar.state.empty();
    let isShown = false;
    let loading;
    let waiting = [];
    let problem;
    let timers = new Set();

    /** Call when the sidebar can be seen. Harmless if it could be seen already. */
    function show() {
      if (isShown) return;
      isShown = true;
      world.comms.subscribe(TOPIC, receive);
      load();
      renewLater();
    }

    /** Call when the sidebar cannot be seen any more. */
    function hide() {
      if (!isShown) return;
      isShown = false;
      world.comms.unsubscribe(TOPIC, receive);
      timers.forEach((timer) => world.clearTimeout(timer));
      timers = new Set();
      loading = undefined;
      waiting = [];
    }

    function later(delay, action) {
      const timer = world.setTimeout(() => {
        timers.delete(timer);
        action();
      }, delay);
      timers.add(timer);
    }

    function renewLater() {
      later(RENEWAL, () => {
        void renew();
        renewLater();
      });
    }

    /** Gets a snapshot. What is told meanwhile waits for it; a second call while one runs does nothing. */
    function load() {
      if (loading !== undefined || !isShown) return;
      loading = {};
      void ask(loading);
    }

    async function ask(request) {
      const told = await world
        .ajax({ url: 'tftp/transfers', dataType: 'json', cache: false, timeout: PATIENCE })
        .then(
          (snapshot) => () => accept(snapshot),
          (answer) => () => refuse(answer),
        );
      if (loading !== request) return;
      loading = undefined;
      told();
    }

    function refuse(answer) {
      waiting = [];
      report(problemOf(answer));
    }

    function accept(snapshot) {
      const deltas = waiting;
      waiting = [];
      state = tftpSidebar.state.fromSnapshot(snapshot, world.now());
      report(undefined);
      world.onChange(state, []);
      deltas.forEach((delta) => receive(TOPIC, delta));
    }

    function receive(_topic, delta) {
      if (loading !== undefined) {
        waiting.push(delta);
        return;
      }
      if (problem !== undefined || state.sequence === undefined) return;
      if (tftpSidebar.state.apply(state, delta)) world.onChange(state, delta.finished);
      else load();
    }

    async function renew() {
      if (problem === 'forbidden') return;
      if (problem !== undefined || state.sequence === undefined) {
        load();
        return;
      }
      const before = state.sequence;
      try {
        const { sequence } = await world.ajax({
          url: 'tftp/watch',
          method: 'POST',
          dataType: 'json',
        });
        if (sequence < before) load();
        else if (sequence > state.sequence) later(GRACE, () => loadIfBehind(sequence));
      } catch (answer) {
        if (isShown) report(problemOf(answer));
      }
    }

    function loadIfBehind(sequence) {
      if (state.sequence < sequence) load();
    }

    function report(found) {
      problem = found;
      world.onProblem(found);
    }

    /** Everything there is to know of one transfer. Rejects with the answer if it is forgotten. */
    function details(id) {
      return world.ajax({ url: path(id), dataType: 'json', cache: false });
    }

    /** Rejects with the answer if the transfer is over or the user may not cancel. */
    function cancel(id) {
      return world.ajax({ url: path(id), method: 'DELETE' });
    }

    return { show, hide, load, details, cancel };
  }

  function path(id) {
    return `tftp/transfers/${encodeURIComponent(id)}`;
  }

  function problemOf(answer) {
    if (answer?.status === 401 || answer?.status === 403) return 'forbidden';
    return answer?.status === 404 ? 'missing' : 'lost';
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.feed = { create };
})();
