//! The actions of the plugin. manifest.json describes their forms.
mod culm;

use culm::{Answer, Failure, Level, Request};

culm::actions! {
    "greet" => { execute: greet },
    "count_hosts" => { execute: count_hosts },
}

/// Answers by itself: it needs nothing but its inputs.
fn greet(r: &Request) -> Result<Answer, Failure> {
    let who = r.inputs["name"].text();
    let end = if r.inputs["loud"].truth() { "!" } else { "." };
    let greeting = format!("Hello, {who}{end}");

    culm::log(Level::Info, &greeting);
    Ok(Answer::succeeded([("greeting", greeting.into())]))
}

/// Asks a system, through the gateway: the only way out.
fn count_hosts(r: &Request) -> Result<Answer, Failure> {
    let reply = culm::gateway("demo", "list_hosts", [("service", r.inputs["service"].clone())], None)?;

    let hosts = reply.body["hosts"].list();
    let in_service = hosts.iter().filter(|h| h["state"].text() == "in").count();
    if in_service == 0 {
        return Err(Failure::new("NO_HOSTS", "no host of this service is in service").retryable());
    }
    Ok(Answer::succeeded([("hosts", hosts.len().into()), ("in_service", in_service.into())]))
}
