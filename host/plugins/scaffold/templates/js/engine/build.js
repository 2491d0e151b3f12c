// Makes build/module.wasm of plugin.js and all that it imports: the engine (QuickJS, from quickjs-wasi) and the source in
// one module that imports nothing but what Culm offers. Run it with: culm plugin build
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { buildSync } from "esbuild";

const bundle = bundled();
const source = Buffer.from(bundle.outputFiles[0].contents);

// The source lies where the engine's stack will be, until it was evaluated.
if (source.length > 512 << 10) throw new Error(`plugin.js and what it imports have ${source.length} bytes, at most 512 KiB are possible`);

mkdirSync("build", { recursive: true });
writeFileSync("build/module.wasm", withSource(linked(), source));

// bundled is plugin.js with what it imports. Where it cannot be read, the places are said, as compilers do.
function bundled() {
  try {
    return buildSync({
      entryPoints: ["plugin.js"], bundle: true, write: false, format: "iife", target: "es2023", charset: "utf8", logLevel: "silent", color: false,
    });
  } catch (failure) {
    if (!failure.errors?.length) throw failure;
    for (const { location: at, text } of failure.errors) {
      console.error(at ? `${at.file}:${at.line}:${at.column + 1}: ${text}\n${at.lineText}` : text);
    }
    process.exit(1);
  }
}

// linked is the module without a source, which takes seconds to make: it is kept until one of the files changes that it is made of.
function linked() {
  const parts = ["engine/build.js", "engine/culm.wat", "engine/load.wat", "node_modules/quickjs-wasi/quickjs.wasm", "node_modules/binaryen/package.json"];
  const key = parts.reduce((hash, file) => hash.update(createHash("sha256").update(readFileSync(file)).digest()), createHash("sha256")).digest("hex");
  const kept = `build/engine-${key.slice(0, 32)}.wasm`;
  if (!existsSync(kept)) {
    link("build/linked.wasm");
    renameSync("build/linked.wasm", kept);
  }
  return readFileSync(kept);
}

// link puts the engine, culm.wat and load.wat together.
function link(out) {
  // Clock and randomness go through load.wat.
  const engine = readFileSync("node_modules/quickjs-wasi/quickjs.wasm");
  for (const name of ["\x0eclock_time_get", "\x0arandom_get"]) {
    const from = "\x16wasi_snapshot_preview";
    const at = engine.indexOf(Buffer.from(from + "1" + name));
    if (at < 0) throw new Error("this is another engine than the version of quickjs-wasi in package.json");
    engine.write("0", at + from.length);
  }
  const kept = ["memory", "_initialize", "execute", "resume", "cancel", "rollback", "options"];
  writeFileSync("build/quickjs.wasm", engine);
  writeFileSync("build/kept.json", JSON.stringify(kept.map((name) => ({ name: "root-" + name, root: true, export: name }))));
  const features = ["--enable-bulk-memory", "--enable-bulk-memory-opt", "--enable-nontrapping-float-to-int", "--enable-sign-ext", "--enable-mutable-globals"];
  run("wasm-merge", "engine/culm.wat", "env", "build/quickjs.wasm", "engine", "engine/load.wat", "wasi_snapshot_preview0",
    "--rename-export-conflicts", "-o", "build/merged.wasm", ...features);
  run("wasm-metadce", "build/merged.wasm", "--graph-file", "build/kept.json", "-o", out, ...features);
}

function run(tool, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["node_modules/binaryen/bin/" + tool, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${tool}: ${stderr}${stdout}`);
}

// withSource replaces the text of the segment that culm.wat leaves for the source: its length, as a number of four bytes, and itself.
function withSource(module, source) {
  const mark = Buffer.from("\x0bculm:source");
  const at = module.indexOf(mark);
  if (at < 0 || module.indexOf(mark, at + 1) >= 0) throw new Error("the engine has no place for the source");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(source.length);
  for (let section = 8; ; ) {
    const [size, body] = number(module, section + 1);
    const end = body + size;
    if (at < end) {
      const inside = [module.subarray(body, at), leb(4 + source.length), length, source, module.subarray(at + mark.length, end)];
      const grown = inside.reduce((n, part) => n + part.length, 0);
      return Buffer.concat([module.subarray(0, section + 1), leb(grown), ...inside, module.subarray(end)]);
    }
    section = end;
  }
}

// number reads a number of WebAssembly's (LEB128), and says where it ends.
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function leb(value) {
  const bytes = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
