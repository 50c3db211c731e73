//! What the gateway does to the log for who may: sealed texts, redaction, pruning.

use crate::{
    Failure,
    args::{AsWhom, block_on},
    client::{self, Client},
    profile,
};
use serde_json::json;
use std::io::Write;
use tonic::{Response, Status, transport::Channel};
use wire::operations::{
    ApproveRedactionRequest, PruneLogRequest, ReadSealedRequest, RequestRedactionRequest,
    operations_client::OperationsClient,
};

/// Connects as a person, makes one call, and takes the answer out.
fn call<T>(
    as_whom: &AsWhom,
    call: impl AsyncFnOnce(OperationsClient<Channel>, Client) -> Result<Response<T>, Status>,
) -> Result<T, Failure> {
    let profile = profile::read(&as_whom.profile)?;
    block_on(async {
        let client = client::connect(&profile, as_whom.scenario.as_deref()).await?;
        let operations = OperationsClient::new(client.channel.clone());
        let reply = call(operations, client).await;
        Ok(reply
            .map_err(|status| Failure::answered(&status))?
            .into_inner())
    })
}

pub(crate) fn read(
    as_whom: &AsWhom,
    (entry, purpose): (u64, &str),
    json: bool,
) -> Result<(), Failure> {
    let purpose = purpose.to_owned();
    let reply = call(as_whom, async move |mut operations, client| {
        let request = client.request(ReadSealedRequest { entry, purpose });
        operations.read_sealed(request).await
    })?;
    if json {
        let text = String::from_utf8_lossy(&reply.text);
        println!(
            "{}",
            json!({"entry": entry, "text": text, "recorded": reply.recorded})
        );
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    let written = out
        .write_all(&reply.text)
        .and_then(|()| out.write_all(b"\n"));
    eprintln!("the reading is on record / 阅读已留痕: #{}", reply.recorded);
    written.map_err(|error| Failure::Other(error.to_string()))
}

pub(crate) fn redact(
    as_whom: &AsWhom,
    (entry, basis): (u64, &str),
    json: bool,
) -> Result<(), Failure> {
    let basis = basis.to_owned();
    let reply = call(as_whom, async move |mut operations, client| {
        let request = client.request(RequestRedactionRequest { entry, basis });
        operations.request_redaction(request).await
    })?;
    let request = reply.request;
    if json {
        println!("{}", json!({"entry": entry, "request": request}));
    } else {
        println!(
            "request / 申请: #{request}; two others approve it / 须另外两人批准: \
             bonded ledger approve -p … {request}"
        );
    }
    Ok(())
}

pub(crate) fn approve(as_whom: &AsWhom, request: u64, json: bool) -> Result<(), Failure> {
    let reply = call(as_whom, async move |mut operations, client| {
        let request = client.request(ApproveRedactionRequest { request });
        operations.approve_redaction(request).await
    })?;
    if json {
        let (approvals, destroyed) = (reply.approvals, reply.destroyed);
        println!(
            "{}",
            json!({"request": request, "approvals": approvals, "destroyed": destroyed})
        );
    } else if reply.destroyed {
        println!("approved, and the text is destroyed / 已批准，内容已销毁");
    } else {
        println!("approved; one more must / 已批准，尚需一人");
    }
    Ok(())
}

pub(crate) fn prune(as_whom: &AsWhom, json: bool) -> Result<(), Failure> {
    let reply = call(as_whom, async move |mut operations, client| {
        operations
            .prune_log(client.request(PruneLogRequest {}))
            .await
    })?;
    let (minimum, removed) = (reply.minimum, reply.removed);
    if json {
        println!("{}", json!({"minimum": minimum, "removed": removed}));
    } else {
        println!("{removed} entries pruned; published from / 已截断，现公开自: #{minimum}");
    }
    Ok(())
}
