use super::*;
use crate::stage::{Stage, event};
use futures::StreamExt;
use serde_json::json;
use terms::Digest;
use tonic::Code;
use wire::management::{
    CertificateRequest, FollowRequest, Named, Page, licences_server::Licences,
    people_server::People, platform_server::Platform,
};

fn desk(stage: &Stage) -> Desk {
    Desk::new(Arc::clone(&stage.gateway), Channel::Domain)
}

/// A call as somebody of this role makes it.
fn request<T>(stage: &Stage, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(stage.asking().peer);
    request
}

/// Ann is somebody of another role from here on.
async fn becomes(stage: &Stage, role: &str) {
    let person = event(json!({"event": "person-enrolled", "by": "admin",
        "certificate": Digest::of(&stage.certificate), "person": {"id": "ann", "role": role,
        "vetted": true, "organisation": "op", "nda_until": "2999-12-31"}}));
    stage.stand(person).await;
}

#[tokio::test]
async fn a_step_by_the_wrong_role_is_refused_before_the_register_is_asked() {
    let stage = Stage::set().await;
    let size = stage.gateway.domain.ledger.size();
    let id = "no such licence".to_owned();
    let refused = desk(&stage).review(request(&stage, Named { id })).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    let id = "l".to_owned();
    let refused = desk(&stage).review(request(&stage, Named { id })).await;
    let status = refused.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let code = status.metadata().get("bonded-code").unwrap();
    assert_eq!(code, "policy.action-not-permitted");
    assert_eq!(stage.gateway.domain.ledger.size(), size);
}

#[tokio::test]
async fn an_unlawful_step_says_where_and_by_which_clause_in_both_languages() {
    let stage = Stage::set().await;
    becomes(&stage, "data-authority").await;
    let id = "l".to_owned();
    let status = desk(&stage)
        .grant(request(&stage, Named { id }))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let text = status.message();
    assert!(
        text.starts_with("register.") && text.contains("licence `l`"),
        "{text}"
    );
    let told = status.metadata().get_bin("bonded-told-zh-bin").unwrap();
    let told = String::from_utf8(told.to_bytes().unwrap().to_vec()).unwrap();
    assert!(told.starts_with("按规定"), "{told}");
}

#[tokio::test]
async fn a_stranger_is_told_nothing() {
    let stage = Stage::set().await;
    let id = "l".to_owned();
    let refused = desk(&stage)
        .review(Request::new(Named { id: id.clone() }))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    let refused = Licences::show(&desk(&stage), Request::new(Named { id })).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn an_operators_member_sees_their_own_alone() {
    let stage = Stage::set().await;
    let today = chrono::Utc::now().date_naive();
    stage
        .stand(event(
            json!({"event": "licence-step", "by": "zoe", "stage": "granted", "licence":
        {"id": "theirs", "operator": "zeta", "agreement": null, "mode": "comprehensive",
        "from": today, "until": today}}),
        ))
        .await;
    let desk = desk(&stage);
    let seen = Licences::list(&desk, request(&stage, Page::default()))
        .await
        .unwrap();
    let seen = seen.into_inner().json;
    assert_eq!(seen.len(), 1);
    assert!(seen[0].contains("\"id\":\"l\""), "{seen:?}");
    let shown = |id: &str| Licences::show(&desk, request(&stage, Named { id: id.to_owned() }));
    assert!(shown("l").await.is_ok());
    let (theirs, none) = (
        shown("theirs").await.unwrap_err(),
        shown("none").await.unwrap_err(),
    );
    assert_eq!(theirs.message(), none.message());
    becomes(&stage, "regulator").await;
    let seen = Licences::list(&desk, request(&stage, Page::default()))
        .await
        .unwrap();
    assert_eq!(seen.into_inner().json.len(), 2);
}

#[tokio::test]
async fn how_identifying_rows_are_is_told_to_authorities_alone_and_to_nobody_below_k() {
    use wire::management::scenarios_server::Scenarios;
    let stage = Stage::set().await;
    stage
        .stand(event(
            json!({"event": "scenario-step", "by": "dora", "stage": "applied",
            "row_risks": [{"dataset": "city.open", "snapshot": 1, "subjects": 1,
            "subjects_unique": 1, "subjects_below_k": 17, "k": 10}], "scenario": {"id": "asked",
            "licence": "l", "title": "x", "purpose": "x", "members": ["ann"], "datasets": []}}),
        ))
        .await;
    let desk = desk(&stage);
    let told = async || {
        let id = "asked".to_owned();
        let shown = Scenarios::show(&desk, request(&stage, Named { id })).await;
        let listed = Scenarios::list(&desk, request(&stage, Page::default())).await;
        let listed = listed.unwrap().into_inner().json;
        let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        let listed = listed.iter().map(|json| read(json));
        let mut listed = listed.filter(|told| told["scenario"]["id"] == "asked");
        let shown = read(&shown.unwrap().into_inner().json);
        assert_eq!(listed.next().unwrap(), shown);
        shown
    };
    assert_eq!(told().await.get("row_risks"), None);
    becomes(&stage, "security-authority").await;
    assert_eq!(
        told().await["row_risks"],
        json!([{"dataset": "city.open", "snapshot": 1, "k": 10, "subjects": "< 10",
            "subjects_unique": "< 10", "subjects_below_k": "10"}])
    );
    // A step of the operator's is answered with how things stand, and not with that either.
    let answered = Subject::Scenario("asked".parse().unwrap());
    let stands = stage.gateway.domain.live.read();
    assert_eq!(answered.told(&stands.state).unwrap().get("row_risks"), None);
}

/// The ids of a page of licences, and where the next begins.
async fn page(stage: &Stage, after: &str, most: u32) -> Result<(Vec<String>, String), Code> {
    let after = after.to_owned();
    let page = Page { after, most };
    let listed = Licences::list(&desk(stage), request(stage, page)).await;
    let listed = listed.map_err(|status| status.code())?.into_inner();
    let id = |json: &String| {
        let standing: serde_json::Value = serde_json::from_str(json).unwrap();
        standing["licence"]["id"].as_str().unwrap().to_owned()
    };
    Ok((listed.json.iter().map(id).collect(), listed.next))
}

#[tokio::test]
async fn pages_list_everything_once_and_begin_only_where_the_caller_sees() {
    let stage = Stage::set().await;
    let today = chrono::Utc::now().date_naive();
    for number in 0..6 {
        let operator = if number == 3 { "zeta" } else { "op" };
        stage
            .stand(event(
                json!({"event": "licence-step", "by": "zoe", "stage": "granted", "licence":
                {"id": format!("l{number}"), "operator": operator, "agreement": null,
                "mode": "comprehensive", "from": today, "until": today}}),
            ))
            .await;
    }
    for most in [1, 2, 4, 7] {
        let (mut all, mut after) = (Vec::new(), String::new());
        for _ in 0..8 {
            let (ids, next) = page(&stage, &after, most).await.unwrap();
            assert!(ids.len() <= most as usize);
            all.extend(ids);
            after = next;
            if after.is_empty() {
                break;
            }
        }
        assert_eq!(all, ["l", "l0", "l1", "l2", "l4", "l5"], "{most}");
    }
    let whole = page(&stage, "", 0).await.unwrap();
    assert_eq!((whole.0.len(), whole.1.as_str()), (6, ""));
    for unseen in ["l3", "none"] {
        assert_eq!(page(&stage, unseen, 2).await, Err(Code::InvalidArgument));
    }
}

#[tokio::test]
async fn a_follower_hears_each_entry_once_in_order_until_they_may_not() {
    let stage = Stage::set().await;
    let desk = desk(&stage);
    let from = || request(&stage, FollowRequest { from_index: 2 });
    let refused = desk.follow(from()).await.err().unwrap();
    assert_eq!(refused.code(), Code::PermissionDenied);
    becomes(&stage, "regulator").await;
    let size = stage.gateway.domain.ledger.size();
    let mut entries = desk.follow(from()).await.unwrap().into_inner();
    for index in 2..size {
        let entry = entries.next().await.unwrap().unwrap();
        assert_eq!(entry.index, index);
        assert!(!entry.at.is_empty());
        let leaf = stage.gateway.domain.ledger.leaf(index).unwrap();
        assert_eq!(entry.leaf.as_bytes(), leaf);
    }
    let (next, ()) = tokio::join!(entries.next(), stage.enrol_another());
    assert_eq!(next.unwrap().unwrap().index, size);
    becomes(&stage, "operator-member").await;
    let status = entries.next().await.unwrap().unwrap_err();
    assert!(status.message().starts_with("policy.cut-off: "), "{status}");
    assert!(entries.next().await.is_none());
}

/// What a renewal of a certificate by Ann is answered with: the code of a refusal, or the person as they
/// stand then.
async fn renewed(stage: &Stage, id: &str) -> Result<serde_json::Value, String> {
    let (_, request_pem) = identity::Authority::request("x", "op").unwrap();
    let id = id.to_owned();
    let wanted = CertificateRequest { id, request_pem };
    let answer = desk(stage).renew_certificate(request(stage, wanted)).await;
    let answer = answer.map_err(|status| {
        let code = status.metadata().get("bonded-code").unwrap();
        code.to_str().unwrap().to_owned()
    })?;
    let stands: serde_json::Value = serde_json::from_str(&answer.into_inner().json).unwrap();
    Ok(stands["person"].clone())
}

#[tokio::test]
async fn each_renews_their_own_with_the_certificate_they_hold() {
    for own in ["", "ann"] {
        let stage = Stage::set().await;
        let person = renewed(&stage, own).await.unwrap();
        assert_eq!(
            (&person["id"], &person["vetted"]),
            (&json!("ann"), &json!(true))
        );
        // The one before is worth nothing any more, for this neither.
        let told = renewed(&stage, own).await.unwrap_err();
        assert_eq!(told, "identity.unknown-certificate");
    }
}

#[tokio::test]
async fn nobody_renews_in_anothers_name_but_the_administrator_and_then_they_are_vetted_again() {
    let stage = Stage::set().await;
    stage.enrol_another().await;
    let size = stage.gateway.domain.ledger.size();
    let refused = renewed(&stage, "bob").await.unwrap_err();
    assert_eq!(refused, "policy.action-not-permitted");
    let nobody = renewed(&stage, "nobody").await.unwrap_err();
    assert_eq!(nobody, "policy.action-not-permitted");
    assert_eq!(stage.gateway.domain.ledger.size(), size);
    becomes(&stage, "domain-admin").await;
    let person = renewed(&stage, "bob").await.unwrap();
    assert_eq!(
        (&person["id"], &person["vetted"]),
        (&json!("bob"), &json!(false))
    );
}
