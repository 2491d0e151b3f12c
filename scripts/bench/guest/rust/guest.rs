//! The benchmark's plugin in Rust, on Extism's functions alone.

#[link(wasm_import_module = "extism:host/env")]
extern "C" {
    fn input_length() -> u64;
    fn input_load_u64(at: u64) -> u64;
    fn input_load_u8(at: u64) -> u32;
    fn alloc(n: u64) -> u64;
    fn store_u64(at: u64, value: u64);
    fn store_u8(at: u64, value: u32);
    fn output_set(at: u64, n: u64);
    fn log_info(at: u64);
}

fn input() -> Vec<u8> {
    unsafe {
        let n = input_length();
        let mut b = Vec::with_capacity(n as usize);
        let mut i = 0;
        while i + 8 <= n {
            b.extend_from_slice(&input_load_u64(i).to_le_bytes());
            i += 8;
        }
        while i < n {
            b.push(input_load_u8(i) as u8);
            i += 1;
        }
        b
    }
}

fn block(b: &[u8]) -> u64 {
    unsafe {
        let at = alloc(b.len() as u64);
        let mut i = 0;
        for chunk in b.chunks(8) {
            if let Ok(word) = <[u8; 8]>::try_from(chunk) {
                store_u64(at + i, u64::from_le_bytes(word));
            } else {
                for (k, c) in chunk.iter().enumerate() {
                    store_u8(at + i + k as u64, *c as u32);
                }
            }
            i += 8;
        }
        at
    }
}

fn output(b: &[u8]) {
    let at = block(b);
    unsafe { output_set(at, b.len() as u64) }
}

enum Value {
    Nothing,
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

struct Parser<'a> {
    b: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> u8 {
        while self.at < self.b.len() && self.b[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        *self.b.get(self.at).unwrap_or(&0)
    }

    fn string(&mut self) -> String {
        self.at += 1;
        let mut s = Vec::new();
        while self.at < self.b.len() && self.b[self.at] != b'"' {
            if self.b[self.at] == b'\\' {
                self.at += 1;
            }
            s.push(self.b[self.at]);
            self.at += 1;
        }
        self.at += 1;
        String::from_utf8(s).unwrap_or_default()
    }

    fn value(&mut self) -> Value {
        match self.peek() {
            b'"' => Value::Text(self.string()),
            b'[' => {
                self.at += 1;
                let mut list = Vec::new();
                while !matches!(self.peek(), b']' | 0) {
                    list.push(self.value());
                    if self.peek() == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Value::List(list)
            }
            b'{' => {
                self.at += 1;
                let mut members = Vec::new();
                while !matches!(self.peek(), b'}' | 0) {
                    let key = self.string();
                    self.peek();
                    self.at += 1;
                    members.push((key, self.value()));
                    if self.peek() == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Value::Object(members)
            }
            c => {
                let from = self.at;
                while self.at < self.b.len() && !matches!(self.b[self.at], b',' | b']' | b'}' | b' ' | b'\n') {
                    self.at += 1;
                }
                if c == b'-' || c.is_ascii_digit() {
                    let text = std::str::from_utf8(&self.b[from..self.at]).unwrap_or("0");
                    return Value::Number(text.parse().unwrap_or(0.0));
                }
                Value::Nothing
            }
        }
    }
}

#[derive(Default)]
struct Report {
    numbers: u32,
    sum: f64,
    strings: u32,
    longest: String,
}

fn walk(v: &Value, r: &mut Report) {
    match v {
        Value::Nothing => {}
        Value::Number(n) => {
            r.numbers += 1;
            r.sum += n;
        }
        Value::Text(s) => {
            r.strings += 1;
            if s.len() > r.longest.len() {
                r.longest = s.clone();
            }
        }
        Value::List(l) => l.iter().for_each(|v| walk(v, r)),
        Value::Object(m) => m.iter().for_each(|(_, v)| walk(v, r)),
    }
}

#[no_mangle]
pub extern "C" fn execute() -> i32 {
    let b = input();
    let v = Parser { b: &b, at: 0 }.value();
    let mut r = Report::default();
    walk(&v, &mut r);
    output(format!("{{\"numbers\":{},\"sum\":{},\"strings\":{},\"longest\":\"{}\"}}", r.numbers, r.sum, r.strings, r.longest).as_bytes());
    0
}

#[no_mangle]
pub extern "C" fn echo() -> i32 {
    output(&input());
    0
}

#[no_mangle]
pub extern "C" fn park() -> i32 {
    let status = execute();
    let at = block(b"parked");
    unsafe { log_info(at) }
    status
}

#[no_mangle]
pub extern "C" fn spin() -> i32 {
    let mut x: u32 = 1;
    loop {
        x = x.wrapping_mul(1664525).wrapping_add(1013904223);
        if x == 0 && unsafe { input_length() } > 1 << 40 {
            return 1;
        }
    }
}

#[no_mangle]
pub extern "C" fn compute() -> i32 {
    let mut x: u64 = 88172645463325252;
    for _ in 0..20_000_000 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    (x == 1) as i32
}
