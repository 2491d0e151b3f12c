// Makes build/module.wasm of plugin.js and all that it imports: the engine (QuickJS, from quickjs-wasi) and the source in
// one module that imports nothing but what Culm offers. Run it with: culm plugin build
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { buildSync } from "esbuild";

const bundle = buildSync({
  entryPoints: ["plugin.js"], bundle: true, write: false, format: "iife", target: "es2023", charset: "utf8", logLevel: "silent", color: false,
});
const source = Buffer.from(bundle.outputFiles[0].contents);

// The source lies where the engine's stack will be, until it was evaluated.
if (source.length > 512 << 10) throw new Error(`plugin.js and what it imports have ${source.length} bytes, at most 512 KiB are possible`);

// Clock and randomness go through load.wat.
const engine = readFileSync("node_modules/quickjs-wasi/quickjs.wasm");
for (const name of ["\x0eclock_time_get", "\x0arandom_get"]) {
  const from = "\x16wasi_snapshot_preview";
  const at = engine.indexOf(Buffer.from(from + "1" + name));
  if (at < 0) throw new Error("this is another engine than the version of quickjs-wasi in package.json");
  engine.write("0", at + from.length);
}

const quoted = [...source].map((b) => "\\" + b.toString(16).padStart(2, "0")).join("");
const adapter = readFileSync("engine/culm.wat", "utf8").replace("(; source ;)", () => quoted).replaceAll("(; length ;)", () => String(source.length));
const kept = ["memory", "_initialize", "execute", "resume", "cancel", "rollback", "options"];

mkdirSync("build", { recursive: true });
writeFileSync("build/engine.wasm", engine);
writeFileSync("build/culm.wat", adapter);
writeFileSync("build/kept.json", JSON.stringify(kept.map((name) => ({ name: "root-" + name, root: true, export: name }))));

const features = ["--enable-bulk-memory", "--enable-bulk-memory-opt", "--enable-nontrapping-float-to-int", "--enable-sign-ext", "--enable-mutable-globals"];
run("wasm-merge", "build/culm.wat", "env", "build/engine.wasm", "engine", "engine/load.wat", "wasi_snapshot_preview0",
  "--rename-export-conflicts", "-o", "build/merged.wasm", ...features);
run("wasm-metadce", "build/merged.wasm", "--graph-file", "build/kept.json", "-o", "build/module.wasm", ...features);

function run(tool, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["node_modules/binaryen/bin/" + tool, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${tool}: ${stderr}${stdout}`);
}
