//! What a plugin for Culm in Rust is written with. Take this file as it is; it depends on nothing but the standard
//! library. If you prefer serde, `Request::raw` has the bytes of the call.
//!
//! Every call runs in a fresh instance of the module: memory is as it was after initialisation, whatever an earlier
//! call did. What must outlive a call goes into the state of a wait.
#![allow(dead_code)]

use std::fmt::{self, Display, Formatter, Write};
use std::ops::Index;

// ---- the host ---------------------------------------------------------------

mod extism {
    #[link(wasm_import_module = "extism:host/env")]
    extern "C" {
        pub fn input_length() -> u64;
        pub fn length(block: u64) -> u64;
        pub fn error_set(block: u64);
    }
}

mod host {
    #[link(wasm_import_module = "culm:host/v1")]
    extern "C" {
        pub fn input_read(offset: u32, to: *mut u8, length: u32) -> u32;
        pub fn output_write(from: *const u8, length: u32);
        pub fn block_read(block: u64, to: *mut u8, length: u32) -> u32;
        pub fn block_write(from: *const u8, length: u32) -> u64;
        pub fn gateway_call(request: u64) -> u64;
        pub fn var_get(name: u64) -> u64;
        pub fn var_set(name: u64, value: u64);
        pub fn log(level: u32, text: u64);
        pub fn progress(percent: u32, message: u64);
    }
}

fn to_block(text: &str) -> u64 {
    unsafe { host::block_write(text.as_ptr(), text.len() as u32) }
}

fn from_block(block: u64) -> Vec<u8> {
    unsafe {
        let mut bytes = vec![0; extism::length(block) as usize];
        let n = host::block_read(block, bytes.as_mut_ptr(), bytes.len() as u32);
        bytes.truncate(n as usize);
        bytes
    }
}

/// How important a line of the log is.
#[derive(Clone, Copy)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Adds a line to the log of the node.
pub fn log(level: Level, text: &str) {
    unsafe { host::log(level as u32, to_block(text)) }
}

/// Shows how far the call is, in percent.
pub fn progress(percent: u32, message: &str) {
    unsafe { host::progress(percent, if message.is_empty() { 0 } else { to_block(message) }) }
}

/// Reads a variable that the flow maps to this node; None when it is not set.
pub fn var(name: &str) -> Option<Json> {
    match unsafe { host::var_get(to_block(name)) } {
        0 => None,
        block => Json::parse(&from_block(block)),
    }
}

/// Sets an output of the node ahead of the answer; it counts only if the call succeeds.
pub fn set_var(name: &str, value: &Json) {
    unsafe { host::var_set(to_block(name), to_block(&value.to_string())) }
}

/// What a system answered.
pub struct Reply {
    pub status: i64,
    pub body: Json,
    /// The body when it is not JSON.
    pub text: String,
}

/// Calls an operation that an administrator granted. A failure can be passed on with `?`.
pub fn gateway<const N: usize>(system: &str, operation: &str, params: [(&str, Json); N], body: Option<Json>) -> Result<Reply, Failure> {
    let mut request = vec![("system", system.into()), ("operation", operation.into()), ("params", Json::object(params))];
    request.extend(body.map(|b| ("body", b)));
    let request = Json::object(request).to_string();
    let answer = from_block(unsafe { host::gateway_call(to_block(&request)) });
    let answer = Json::parse(&answer).unwrap_or(Json::Null);
    match &answer["failure"] {
        Json::Null => Ok(Reply { status: answer["status"].int(), body: answer["body"].clone(), text: answer["text"].text().into() }),
        failure => Err(Failure(failure.clone())),
    }
}

// ---- a call -----------------------------------------------------------------

/// One call of an action.
pub struct Request {
    pub action: String,
    /// execute, poll, timer, callback, cancel, rollback or options.
    pub reason: String,
    /// Valid against the schema of the manifest.
    pub inputs: Json,
    /// What the wait before carried.
    pub state: Json,
    /// What came in, for the reason callback.
    pub callback: Json,
    /// Those of the attempt, for the reason rollback.
    pub outputs: Json,
    /// The form field that wants choices and the values of its siblings, for the reason options.
    pub field: String,
    pub form: Json,
    /// How often it was polled before.
    pub polls: i64,
    /// project, run, node, iteration, attempt, operator, zone.
    pub context: Json,
    /// The request as it came.
    pub raw: Vec<u8>,
}

/// What an action answers.
pub struct Answer(Json);

impl Answer {
    pub fn succeeded<const N: usize>(outputs: [(&str, Json); N]) -> Answer {
        Answer(Json::object([("status", "succeeded".into()), ("outputs", Json::object(outputs))]))
    }
    /// Answers with outputs that are made of any JSON.
    pub fn outputs(outputs: Json) -> Answer {
        Answer(Json::object([("status", "succeeded".into()), ("outputs", outputs)]))
    }
    /// Is called again, as resume, after that many milliseconds.
    pub fn poll(after_ms: i64, state: Json) -> Answer {
        Answer::wait(vec![("kind", "poll".into()), ("after_ms", after_ms.into())], state)
    }
    /// Is called again when a program calls back.
    pub fn callback(state: Json) -> Answer {
        Answer::wait(vec![("kind", "callback".into())], state)
    }
    /// Is called again when a person answered.
    pub fn ask(prompt: &str, schema: Json, state: Json) -> Answer {
        Answer::wait(vec![("kind", "human".into()), ("prompt", prompt.into()), ("schema", schema)], state)
    }
    fn wait(wait: Vec<(&str, Json)>, state: Json) -> Answer {
        Answer(Json::object([("status", "waiting".into()), ("wait", Json::object(wait)), ("state", state)]))
    }
}

/// Why an action failed.
pub struct Failure(Json);

impl Failure {
    /// A code is UPPER_SNAKE and stable; the message is for people and holds no secret.
    pub fn new(code: &str, message: impl Into<String>) -> Failure {
        Failure(Json::object([("code", code.into()), ("message", message.into().into())]))
    }
    /// Says that the same call may succeed later.
    pub fn retryable(self) -> Failure {
        match self.0 {
            Json::Object(mut members) => {
                members.push(("retryable".into(), Json::Bool(true)));
                Failure(Json::Object(members))
            }
            other => Failure(other),
        }
    }
    pub fn code(&self) -> &str {
        self.0["code"].text()
    }
}

pub type Function = fn(&Request) -> Result<Answer, Failure>;

/// The functions of an action; None where it does not offer that call.
#[derive(Default)]
pub struct Action {
    pub execute: Option<Function>,
    pub resume: Option<Function>,
    pub cancel: Option<Function>,
    pub rollback: Option<Function>,
    pub options: Option<Function>,
}

/// Lists the actions and their functions, and makes the exports of the module.
macro_rules! actions {
    ($($id:literal => { $($call:ident: $function:expr),+ $(,)? }),+ $(,)?) => {
        fn action(id: &str) -> Option<$crate::culm::Action> {
            match id {
                $($id => Some($crate::culm::Action { $($call: Some($function),)+ ..Default::default() }),)+
                _ => None,
            }
        }
        $crate::culm::actions!(@ execute resume cancel rollback options);
    };
    (@ $($export:ident)+) => {$(
        #[no_mangle]
        pub extern "C" fn $export() -> i32 {
            $crate::culm::serve(action, |a| a.$export)
        }
    )+};
}
pub(crate) use actions;

/// Serves one call; the exports of `actions!` use it.
pub fn serve(action: fn(&str) -> Option<Action>, call: fn(Action) -> Option<Function>) -> i32 {
    let mut raw = vec![0; unsafe { extism::input_length() } as usize];
    unsafe { host::input_read(0, raw.as_mut_ptr(), raw.len() as u32) };
    let v = match Json::parse(&raw) {
        Some(v) => v,
        None => return broken("the request is not JSON"),
    };
    let take = |name: &str| v[name].clone();
    let r = Request {
        action: v["action"].text().into(),
        reason: v["reason"].text().into(),
        inputs: take("inputs"),
        state: take("state"),
        callback: take("callback"),
        outputs: take("outputs"),
        field: v["field"].text().into(),
        form: take("form"),
        polls: v["polls"].int(),
        context: take("context"),
        raw,
    };
    let function = match action(&r.action) {
        Some(a) => call(a),
        None => return broken("the plugin has no such action"),
    };
    let answer = match function {
        Some(f) => f(&r),
        None => return broken("the action does not offer this call"),
    };
    let answer = match answer {
        Ok(Answer(v)) => v,
        Err(Failure(f)) => Json::object([("status", "failed".into()), ("failure", f)]),
    };
    let text = answer.to_string();
    unsafe { host::output_write(text.as_ptr(), text.len() as u32) };
    0
}

fn broken(why: &str) -> i32 {
    unsafe { extism::error_set(to_block(why)) };
    1
}

// ---- JSON -------------------------------------------------------------------

/// A value. A member or element that is not there is Null.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

static NULL: Json = Json::Null;

impl Json {
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
        Json::Object(members.into_iter().map(|(k, v)| (k.to_string(), v)).collect())
    }
    pub fn text(&self) -> &str {
        match self {
            Json::Text(s) => s,
            _ => "",
        }
    }
    pub fn int(&self) -> i64 {
        match self {
            Json::Int(n) => *n,
            Json::Number(n) => *n as i64,
            _ => 0,
        }
    }
    pub fn number(&self) -> f64 {
        match self {
            Json::Int(n) => *n as f64,
            Json::Number(n) => *n,
            _ => 0.0,
        }
    }
    pub fn truth(&self) -> bool {
        *self == Json::Bool(true)
    }
    pub fn list(&self) -> &[Json] {
        match self {
            Json::List(l) => l,
            _ => &[],
        }
    }
    /// Reads JSON; None when it is none.
    pub fn parse(bytes: &[u8]) -> Option<Json> {
        let mut p = Parser { text: std::str::from_utf8(bytes).ok()?, at: 0 };
        let v = p.value(0)?;
        p.blank();
        if p.at == p.text.len() { Some(v) } else { None }
    }
}

impl Index<&str> for Json {
    type Output = Json;
    fn index(&self, name: &str) -> &Json {
        match self {
            Json::Object(members) => members.iter().find(|(k, _)| k == name).map_or(&NULL, |(_, v)| v),
            _ => &NULL,
        }
    }
}

impl Index<usize> for Json {
    type Output = Json;
    fn index(&self, i: usize) -> &Json {
        self.list().get(i).unwrap_or(&NULL)
    }
}

macro_rules! from {
    ($($t:ty => $make:expr),+ $(,)?) => {$(impl From<$t> for Json { fn from(v: $t) -> Json { ($make)(v) } })+};
}
from! {
    bool => Json::Bool, i64 => Json::Int, f64 => Json::Number, String => Json::Text, Vec<Json> => Json::List,
    i32 => |v| Json::Int(i64::from(v)), u32 => |v| Json::Int(i64::from(v)), usize => |v| Json::Int(v as i64),
    &str => |v: &str| Json::Text(v.to_string()),
}

impl Display for Json {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(b) => write!(f, "{b}"),
            Json::Int(n) => write!(f, "{n}"),
            Json::Number(n) if n.is_finite() => write!(f, "{n}"),
            Json::Number(_) => f.write_str("null"), // JSON has no NaN and no infinity
            Json::Text(s) => quoted(f, s),
            Json::List(l) => {
                f.write_char('[')?;
                for (i, v) in l.iter().enumerate() {
                    write!(f, "{}{v}", if i > 0 { "," } else { "" })?;
                }
                f.write_char(']')
            }
            Json::Object(o) => {
                f.write_char('{')?;
                for (i, (k, v)) in o.iter().enumerate() {
                    f.write_str(if i > 0 { "," } else { "" })?;
                    quoted(f, k)?;
                    write!(f, ":{v}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn quoted(f: &mut Formatter, s: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in s.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c < ' ' => write!(f, "\\u{:04x}", c as u32)?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }
    fn blank(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(|c| matches!(c, ' ' | '\t' | '\r' | '\n')).len();
    }
    fn taken(&mut self, token: &str) -> bool {
        self.blank();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }
    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > 64 {
            return None;
        }
        self.blank();
        match self.rest().as_bytes().first()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Json::Text),
            b't' => self.taken("true").then(|| Json::Bool(true)),
            b'f' => self.taken("false").then(|| Json::Bool(false)),
            b'n' => self.taken("null").then(|| Json::Null),
            _ => self.number(),
        }
    }
    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members = vec![];
        self.at += 1;
        if self.taken("}") {
            return Some(Json::Object(members));
        }
        loop {
            self.blank();
            let name = self.string()?;
            if !self.taken(":") {
                return None;
            }
            members.push((name, self.value(depth + 1)?));
            if self.taken("}") {
                return Some(Json::Object(members));
            }
            if !self.taken(",") {
                return None;
            }
        }
    }
    fn array(&mut self, depth: usize) -> Option<Json> {
        let mut list = vec![];
        self.at += 1;
        if self.taken("]") {
            return Some(Json::List(list));
        }
        loop {
            list.push(self.value(depth + 1)?);
            if self.taken("]") {
                return Some(Json::List(list));
            }
            if !self.taken(",") {
                return None;
            }
        }
    }
    fn number(&mut self) -> Option<Json> {
        let rest = self.rest();
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let digits = &rest[..end];
        let v = digits.parse().map(Json::Int).or_else(|_| digits.parse().map(Json::Number)).ok();
        self.at += end;
        v
    }
    fn string(&mut self) -> Option<String> {
        if !self.rest().starts_with('"') {
            return None;
        }
        self.at += 1;
        let mut out = String::new();
        loop {
            let end = self.rest().find(|c| c == '"' || c == '\\')?;
            out.push_str(&self.text[self.at..self.at + end]);
            self.at += end + 1;
            if self.text.as_bytes()[self.at - 1] == b'"' {
                return Some(out);
            }
            out.push(self.escape()?);
        }
    }
    fn escape(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let mut code = self.hex4()?;
                if (0xd800..0xdc00).contains(&code) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    code = 0x10000 + ((code & 0x3ff) << 10) + (self.hex4()? & 0x3ff);
                }
                char::from_u32(code).unwrap_or('\u{fffd}')
            }
            c => c,
        })
    }
    fn hex4(&mut self) -> Option<u32> {
        let v = u32::from_str_radix(self.rest().get(..4)?, 16).ok()?;
        self.at += 4;
        Some(v)
    }
}
