// "Cancel this transfer?", asked in the transfer's own row.
(function () {
  'use strict';

  /** `onAnswer(id, isYes)` is called once for each answer that a user gives. */
  function create(onAnswer) {
    const { dom, words } = tftpSidebar;
    let asked;

    /** Asks in this row, and no longer in another one. */
    function ask(id, row) {
      stop();
      const label = words.text('cancel.question');
      const element = dom.add(row, 'span', 'tftp-sidebar-question', undefined, {
        ...{ role: 'alertdialog', 'aria-label': label },
      });
      dom.add(element, 'span', 'tftp-sidebar-question-text', label);
      const answer = (isYes) => () => {
        stop();
        onAnswer(id, isYes);
      };
      const yes = words.text('cancel.yes');
      const button = dom.button(element, 'tftp-sidebar-yes', '', yes, answer(true));
      dom.button(element, 'tftp-sidebar-no', '', words.text('cancel.no'), answer(false));
      asked = { id, element };
      button.focus({ preventScroll: true });
    }

    /** Takes the question back. Harmless if none is asked. */
    function stop() {
      asked?.element.remove();
      asked = undefined;
    }

    return { ask, stop, askedId: () => asked?.id };
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.question = { create };
})();
