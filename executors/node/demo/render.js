'use strict';

// Renders the report that other languages have computed. A file may export several handlers: this one serves
// demo.render.text and demo.render.html.

exports.text = async function text(task, sequence) {
  const { rows, total } = report(sequence);
  const lines = rows.map(({ region, net, gap }) => [region.padEnd(10), pad(net), pad(signed(gap))].join(''));
  return { document: [`Sales of ${task.context.quarter}`, ...lines, `total ${total}`].join('\n') };
};

exports.html = async function html(task, sequence) {
  const { rows, total } = report(sequence);
  const cells = rows.map(({ region, net, gap }) => `<tr><td>${escapeHtml(region)}<td>${net}<td>${signed(gap)}`);
  const title = `Sales of ${escapeHtml(task.context.quarter)}`;
  return { document: `<h1>${title}</h1><table>${cells.join('')}</table><p>total ${total}` };
};

function report(sequence) {
  const { net } = sequence.find_step_by_name('net_sales').results;
  const { gap } = sequence.find_step_by_name('target_gap').results;
  const { ranking, total } = sequence.find_step_by_name('ranking').results;
  return { rows: ranking.map((region) => ({ region, net: net[region], gap: gap[region] })), total };
}

function pad(value) {
  return String(value).padStart(8);
}

function signed(number) {
  return number > 0 ? `+${number}` : String(number);
}

function escapeHtml(value) {
  return String(value).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
