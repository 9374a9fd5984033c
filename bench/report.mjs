// The figures as Markdown.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const README = path.join(path.dirname(fileURLToPath(import.meta.url)), 'README.md');
const MARKS = ['<!-- last run: begin -->', '<!-- last run: end -->'];

/** The columns, in order; a table has those whose figure was measured. */
const COLUMNS = [
  { field: 'rate', title: 'MB/s', spread: true },
  { field: 'ownRate', title: 'MB/s without the start' },
  { field: 'milliseconds', title: 'ms', spread: true },
  { field: 'kibPerTransfer', title: 'KiB a transfer', spread: true },
  { field: 'p50', title: 'p50 ms' },
  { field: 'p99', title: 'p99 ms' },
  { field: 'fairness', title: 'p99 ÷ p50' },
  { field: 'max', title: 'max ms' },
  { field: 'cpuPerGiB', title: 'server CPU s/GiB' },
  { field: 'clientCpuPerGiB', title: 'client CPU s/GiB' },
  { field: 'resent', title: 'asked again' },
  { field: 'duplicates', title: 'came twice' },
  { field: 'gaps', title: 'gaps' },
];

/** A summary, a table for each case, and what was left out. */
export function toMarkdown({ machine, results }, ours) {
  const parts = [
    machine.map((line) => `- ${line}`).join('\n'),
    summary(results, ours),
    ...results.map((result) => section(result, ours)),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Puts the report between the marks in README.md. */
export function updateReadme(report) {
  const text = readFileSync(README, 'utf8');
  const [begin, end] = MARKS.map((mark) => text.indexOf(mark));
  const head = text.slice(0, begin + MARKS[0].length);
  writeFileSync(README, `${head}\n\n${report}\n${text.slice(end)}`);
}

function summary(results, ours) {
  const rows = results.map(({ name, figure, rows: all }) => {
    const best = bestPeer(all, figure, ours);
    const own = all.find((row) => isOurs(row, ours) && row.figures);
    const shown = [own, best].map((row) => (row ? round(valueOf(row, figure)) : '–'));
    const ratio = own && best ? ratioOf(own, best, figure) : '–';
    return [name, titleOf(figure), shown[0], shown[1], best?.name ?? '–', ratio];
  });
  return table(['case', 'figure', ours, 'best peer', '', 'ratio'], rows);
}

function section({ name, figure, note, rows }, ours) {
  const measured = rows.filter((row) => row.figures);
  const columns = COLUMNS.filter(
    ({ field }) => measured.some((row) => field in row.figures) && !isNeedless(field, figure),
  );
  const best = bestPeer(rows, figure, ours);
  const body = measured.map((row) => [
    row.name,
    ...columns.map((column) => cell(row.figures[column.field], column)),
    best ? ratioOf(row, best, figure) : '–',
  ]);
  const titles = ['', ...columns.map(({ title }) => title), 'ratio'];
  const remarks = [note, ...rows.flatMap(remarksOn)].filter(Boolean);
  const parts = [`#### ${name}`, measured.length > 0 ? table(titles, body) : '', ...remarks];
  return parts.filter(Boolean).join('\n\n');
}

function remarksOn({ name, missing, troubles = [] }) {
  if (missing !== undefined) return [`Left out: ${name}: ${missing}`];
  return troubles.length > 0 ? [`${name}: ${troubles.length} runs failed: ${troubles[0]}`] : [];
}

/** Of one transfer either the time or the rate tells something, and of a very short one nothing else. */
function isNeedless(field, figure) {
  if (figure.field === 'milliseconds') return field !== 'milliseconds';
  return field === 'milliseconds';
}

/**
 * The peer that the ratios are against: the best one that is not ours, nor a floor. Against next to
 * nothing there is no ratio.
 */
function bestPeer(rows, figure, ours) {
  const sign = figure.better === 'more' ? -1 : 1;
  return rows
    .filter((row) => row.figures && !row.floor && !isOurs(row, ours))
    .filter((row) => valueOf(row, figure) >= 1)
    .toSorted((a, b) => sign * (valueOf(a, figure) - valueOf(b, figure)))[0];
}

/** A server of the command line may be ours too: `red-tftp, plain`. */
function isOurs({ name }, ours) {
  return name.startsWith(ours);
}

function ratioOf(row, best, figure) {
  return (valueOf(row, figure) / valueOf(best, figure)).toFixed(2);
}

function valueOf(row, { field }) {
  return row.figures[field].median;
}

function titleOf({ field }) {
  return COLUMNS.find((column) => column.field === field).title;
}

function cell(figure, { spread }) {
  if (figure === undefined) return '–';
  const { median, least, greatest } = figure;
  return spread ? `${round(median)} (${round(least)}–${round(greatest)})` : round(median);
}

/** Three digits that count, and no more. */
function round(value) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))));
  return value.toFixed(Number.isInteger(value) ? 0 : digits);
}

function table(titles, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = titles.map((_, index) => (index === 0 ? '---' : '--:'));
  return [titles, rule, ...rows].map(line).join('\n');
}
