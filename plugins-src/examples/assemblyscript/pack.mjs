// Appends a manifest to a module as the custom section "culm.manifest".
// Usage: node pack.mjs MODULE MANIFEST OUT. `culm plugin pack` does the same.
import { readFileSync, writeFileSync } from "node:fs";

const [modulePath, manifestPath, outPath] = process.argv.slice(2);

function leb(n) {
  const bytes = [];
  do {
    bytes.push((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    n >>>= 7;
  } while (n > 0);
  return Buffer.from(bytes);
}

const name = Buffer.from("culm.manifest");
const manifest = Buffer.from(JSON.stringify(JSON.parse(readFileSync(manifestPath, "utf8"))));
const content = Buffer.concat([leb(name.length), name, manifest]);
writeFileSync(outPath, Buffer.concat([readFileSync(modulePath), Buffer.from([0]), leb(content.length), content]));
