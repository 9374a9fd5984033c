// Runs a case: every contestant once, then every contestant once more, A B A B, so that what else
// happens on the machine falls on all of them.

/**
 * Gives a row for each contestant: the median of each figure with its least and its greatest value,
 * or `missing`, the reason why there is none.
 */
export async function measure(workbench, { name, figure, note, Run, task, contestants }) {
  console.error(`\n${name}`);
  const entries = contestants.map((contestant) => ({
    name: contestant.name,
    floor: contestant.floor,
    run: new Run(workbench, task, contestant),
    samples: [],
    troubles: [],
  }));
  try {
    for (const entry of entries) await attempt(entry, 'prepare');
    for (let i = 0; i < workbench.options.runs; i += 1) {
      for (const entry of entries.filter(({ unfit }) => !unfit)) await attempt(entry, 'sample');
    }
  } finally {
    for (const { run } of entries) await run.close();
  }
  const rows = entries.map(summary);
  for (const row of rows) console.error(`  ${tell(row, figure)}`);
  return { name, figure, note, rows };
}

async function attempt(entry, step) {
  try {
    const figures = await entry.run[step]();
    if (step === 'sample') entry.samples.push(figures);
  } catch (error) {
    entry.troubles.push(error.message);
    // Who fails at the first is not asked again: it may take minutes each time.
    if (entry.samples.length === 0) entry.unfit = true;
  }
}

function summary({ name, floor, samples, troubles }) {
  if (samples.length === 0) return { name, missing: troubles[0] };
  const fields = Object.keys(samples[0]);
  const figures = fields.map((field) => [field, spread(samples.map((sample) => sample[field]))]);
  return { name, floor, runs: samples.length, troubles, figures: Object.fromEntries(figures) };
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, least: sorted[0], greatest: sorted.at(-1) };
}

function tell({ name, missing, troubles, figures }, { field }) {
  if (missing !== undefined) return `${name}: left out: ${missing}`;
  const trouble = troubles.length > 0 ? ` (${troubles.length} runs failed: ${troubles[0]})` : '';
  return `${name}: ${figures[field].median.toPrecision(4)}${trouble}`;
}
