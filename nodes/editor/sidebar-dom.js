// How the sidebar builds its elements. Whatever comes from the network goes into text nodes and
// attributes only, and is never read as markup.
(function () {
  'use strict';

  /** An element with text. `attributes` that are undefined are left out. */
  function make(tag, className, text, attributes = {}) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) element.setAttribute(name, value);
    }
    return element;
  }

  /** The same, put at the end of `parent`. */
  function add(parent, tag, className, text, attributes) {
    return parent.appendChild(make(tag, className, text, attributes));
  }

  /** A picture beside words, or in place of words that the element around it tells. */
  function icon(parent, name) {
    return add(parent, 'i', `fa fa-${name}`, undefined, { 'aria-hidden': 'true' });
  }

  /** A button in Node-RED's looks. */
  function button(parent, className, iconName, text, onClick) {
    const made = add(parent, 'button', `red-ui-button red-ui-button-small ${className}`);
    made.type = 'button';
    if (iconName) icon(made, iconName);
    if (text) add(made, 'span', '', text);
    made.addEventListener('click', onClick);
    return made;
  }

  /** Writes a text if it is another one than before: to write the same again costs a layout. */
  function setText(element, text) {
    if (element.shownText === text) return;
    element.shownText = text;
    element.textContent = text;
  }

  /** Sets an attribute if it is another one than before, and takes it away if it is undefined. */
  function setAttribute(element, name, value) {
    const before = element.getAttribute(name);
    if (value === undefined && before !== null) element.removeAttribute(name);
    else if (value !== undefined && before !== String(value)) element.setAttribute(name, value);
  }

  /** However often the returned function is called, it draws once for each picture on the screen. */
  function oncePerFrame(draw) {
    let isAwaited = false;
    return () => {
      if (isAwaited) return;
      isAwaited = true;
      requestAnimationFrame(() => {
        isAwaited = false;
        draw();
      });
    };
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.dom = { oncePerFrame, make, add, icon, button, setText, setAttribute };
})();
