//! `bonded ledger audit`: the hashes, then the record itself.

use super::{say, show, source::Source, told};
use crate::{Failure, args::Where};
use indicatif::ProgressBar;
use ledger::{Breach, Onlooker, Report};
use register::{Audit, Audited};
use std::time::{Duration, Instant};

/// Shows progress and reads the record on the way.
struct Auditing {
    bar: ProgressBar,
    audit: Audit,
}

pub(crate) fn audit(place: &Where, json: bool) -> Result<(), Failure> {
    let source = Source::open(place)?;
    let mut auditing = Auditing {
        bar: ProgressBar::new(0),
        audit: Audit::default(),
    };
    let began = Instant::now();
    let report = source.audit(&mut auditing);
    auditing.bar.finish_and_clear();
    let report = report?;
    let audited = auditing.audit.conclude();
    let took = began.elapsed();
    if json {
        let value = serde_json::json!({"holds": audited.findings_count == 0, "log": report,
            "record": audited, "seconds": took.as_secs_f64()});
        say(&value.to_string())?;
    } else {
        say(&written(&report, &audited, took))?;
    }
    if audited.findings_count == 0 {
        Ok(())
    } else {
        let count = audited.findings_count;
        Err(Failure::Other(format!(
            "audit.findings: {count} entries are against the rules / {count} 条记录不合规"
        )))
    }
}

impl Onlooker for Auditing {
    fn progress(&mut self, done: u64, of: u64) {
        show(&self.bar, done, of);
    }

    fn entry(&mut self, index: u64, leaf: &[u8]) -> Result<(), Breach> {
        self.audit.leaf(index, leaf)
    }
}

fn written(report: &Report, audited: &Audited, took: Duration) -> String {
    let mut text = String::from("the hashes hold / 散列无误\n");
    text.push_str(&told(report));
    text.push_str(&format!(
        "\nthe record / 记录\n  register / 登记        {} at version {}; {} gateways saw the same / \
         与网关所见一致\n  open operations / 未结操作 {}\n",
        audited.register, audited.register_version, audited.register_compared,
        audited.operations_open
    ));
    for (event, count) in &audited.events {
        text.push_str(&format!("  {event:<24} {count:>10}\n"));
    }
    for (code, count) in &audited.unjudged {
        text.push_str(&format!(
            "  ? {code}: {count} entries not judged, what the rule asks for was pruned / \
             所需条目已截断，未判定\n"
        ));
    }
    for finding in &audited.findings {
        text.push_str(&format!(
            "  ✗ #{} {}: {}\n",
            finding.entry, finding.code, finding.what
        ));
    }
    if audited.findings_count == 0 {
        text.push_str("  no findings / 无违规\n");
    }
    text.push_str(&format!("{:.2} s", took.as_secs_f64()));
    text
}
