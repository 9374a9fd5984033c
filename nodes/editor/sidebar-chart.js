// The throughput of the last ten minutes: two areas in one small picture.
(function () {
  'use strict';

  const SVG = 'http://www.w3.org/2000/svg';
  const WIDTH = 240;
  const HEIGHT = 48;

  /** Builds the picture. `update(throughput)` draws it anew. */
  function create() {
    const figure = document.createElement('div');
    figure.className = 'tftp-sidebar-chart';
    const svg = shape(figure, 'svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' });
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-labelledby', 'tftp-sidebar-chart-title tftp-sidebar-chart-desc');
    const title = shape(svg, 'title', { id: 'tftp-sidebar-chart-title' });
    const description = shape(svg, 'desc', { id: 'tftp-sidebar-chart-desc' });
    title.textContent = tftpSidebar.words.text('chart.title');
    const areas = {};
    for (const way of ['down', 'up']) {
      const area = shape(svg, 'path', { class: `tftp-sidebar-area tftp-sidebar-${way}` });
      areas[way] = {
        area,
        line: shape(svg, 'path', { class: `tftp-sidebar-line tftp-sidebar-${way}` }),
      };
    }
    const most = label(figure, 'tftp-sidebar-chart-most');
    const from = label(figure, 'tftp-sidebar-chart-from');
    from.textContent = tftpSidebar.words.text('chart.from');
    label(figure, 'tftp-sidebar-chart-to').textContent = tftpSidebar.words.text('chart.to');
    let drawn;

    function update(throughput) {
      if (throughput.end === drawn) return;
      drawn = throughput.end;
      const { top, paths } = draw(throughput, WIDTH, HEIGHT);
      for (const way of ['down', 'up']) {
        areas[way].area.setAttribute('d', paths[way].area);
        areas[way].line.setAttribute('d', paths[way].line);
      }
      const { rate, text } = tftpSidebar.words;
      figure.classList.toggle('tftp-sidebar-chart-idle', top === 0);
      most.textContent = top === 0 ? text('chart.idle') : rate(top);
      const [down, up] = ['down', 'up'].map((way) => rate(peakOf(throughput, way)));
      description.textContent = text('chart.description', { down, up });
    }

    return { element: figure, update };
  }

  /** The outlines of both areas, and the rate at the picture's top in bytes per second (0: no traffic). */
  function draw(throughput, width, height) {
    const top = niceCeiling(Math.max(peakOf(throughput, 'down'), peakOf(throughput, 'up')));
    const seconds = throughput.interval / 1000;
    const paths = {};
    for (const way of ['down', 'up']) {
      const buckets = throughput[way];
      const step = width / Math.max(1, buckets.length - 1);
      const points = buckets.map((bytes, index) => {
        const share = top === 0 ? 0 : bytes / seconds / top;
        return `${round(index * step)},${round(height - share * (height - 2))}`;
      });
      const line = points.length === 0 ? '' : `M${points.join('L')}`;
      const isIdle = buckets.every((bytes) => bytes === 0);
      paths[way] = {
        line: isIdle ? '' : line,
        area: isIdle ? '' : `${line}L${width},${height}L0,${height}Z`,
      };
    }
    return { top, paths };
  }

  function peakOf({ interval, ...ways }, way) {
    return Math.max(0, ...ways[way]) / (interval / 1000);
  }

  /** 1, 2 or 5 times a power of ten: the scale stays where it is while the rate wavers. */
  function niceCeiling(value) {
    if (value <= 0) return 0;
    const power = 10 ** Math.floor(Math.log10(value));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= value * (1 - 1e-9));
    return step * power;
  }

  function round(value) {
    return Math.round(value * 100) / 100;
  }

  function shape(parent, name, attributes) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return parent.appendChild(element);
  }

  function label(parent, className) {
    const element = document.createElement('span');
    element.className = className;
    element.setAttribute('aria-hidden', 'true');
    return parent.appendChild(element);
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.chart = { create, draw, niceCeiling };
})();
