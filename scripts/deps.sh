#!/usr/bin/env bash
# Installs the Debian packages that the tests use, when it may; else says exactly what is missing and why it is wanted.
set -euo pipefail

# command, package, what for
wanted=(
  "gcc gcc the SQLite driver"
  "git git the build"
  "node nodejs the frontend"
  "npm npm the frontend"
  "chromium chromium the browser test"
  "prometheus prometheus the integration test"
  "prometheus-alertmanager prometheus-alertmanager the integration test"
  "etcd etcd-server the integration test"
  "docker-registry docker-registry the integration test"
  "strace strace the tests of failing disks"
  "clang clang plugins in C"
  "wasm-ld lld plugins in C and Rust"
  "/usr/bin/cargo cargo plugins in Rust"
)

missing=()
for row in "${wanted[@]}"; do
  read -r command package _ <<<"$row"
  command -v "$command" >/dev/null 2>&1 || missing+=("$package")
done
# Without a CJK font Chinese text is drawn as boxes and the screenshots lie.
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing+=("fonts-noto-cjk")
# Parts of compilers that bring no command. A rustc that is there may have no WebAssembly target; Debian's has.
parts=(
  "/usr/lib/wasm32-wasi/crt1-reactor.o wasi-libc plugins in C"
  "/usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a libclang-rt-dev-wasm32 plugins in C"
  "/usr/lib/rustlib/wasm32-unknown-unknown libstd-rust-dev-wasm32 plugins in Rust"
)
for row in "${parts[@]}"; do
  read -r path package _ <<<"$row"
  compgen -G "$path" >/dev/null || missing+=("$package")
done
wanted+=("${parts[@]}")
[ ${#missing[@]} -eq 0 ] && exit 0

say() {
  echo "missing: ${missing[*]}" >&2
  for row in "${wanted[@]}"; do
    read -r _ package why <<<"$row"
    for m in "${missing[@]}"; do [ "$m" = "$package" ] && echo "  $package: $why" >&2; done
  done
  echo "install them with: apt-get install --no-install-recommends ${missing[*]}" >&2
}

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo=(sudo -n); else say; exit 1; fi
fi
command -v apt-get >/dev/null || { say; exit 1; }

echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# Debian starts a server when its package is installed; the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $policy >/dev/null
  "${sudo[@]}" chmod 0755 $policy
  trap '"${sudo[@]}" rm -f '"$policy" EXIT
fi
"${sudo[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update
"${sudo[@]}" apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >/dev/null || { say; exit 1; }
