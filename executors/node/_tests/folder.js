'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

// A folder of the test's own with these files, text by relative path; {link} is a link to there.
function folder(t, files) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'handlers-'));
  t.after(() => fs.rmSync(root, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (typeof content === 'string') fs.writeFileSync(file, content);
    else fs.symlinkSync(content.link, file);
  }
  return root;
}

module.exports = { folder };
