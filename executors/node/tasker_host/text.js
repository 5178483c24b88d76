'use strict';

// Makes any text valid Unicode of bounded size, without U+0000.
function clip(value, maxBytes) {
  let data;
  try {
    data = Buffer.from(String(value).replaceAll('\0', '\ufffd'));
  } catch {
    return `(unprintable ${typeof value})`;
  }
  if (data.length <= maxBytes) return data.toString();
  const head = data.subarray(0, maxBytes - 32).toString().replace(/\ufffd$/, '');
  return `${head}... (${data.length} bytes)`;
}

module.exports = { clip };
