//! A released result as a signed package. What may not leave is refused before it runs.

mod handing; // a package on its way out

use self::handing::Handing;
use crate::{
    Asking, Gateway, Granted, Kind, Refused, drawn::columns, leash::Leashed, operation::Closed,
};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use chrono::{DateTime, Utc};
use confine::Confined;
use manifest::{
    CellRules, Content, DATA_FILE, Decision, Grant, Handed, Manifest, Operation, Package, Parts,
    Record, Rule, RuleOutcome, Sealed, Source, SourceItem,
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use policy::PermittedDataset;
use std::{collections::BTreeMap, sync::Arc};
use terms::{Action, DatasetName, Digest, Event, Mask};

/// Grade rules of export: rows of protected data never leave as rows, and what an item's permit does
/// not let leave does not. Source: CG-B 汇聚 L2-5, L3-5.
pub(crate) fn may_leave(confined: &Confined) -> Result<(), Refused> {
    let refused = |code: &str, en: &str, zh: &str| Refused {
        code: code.to_owned(),
        told_en: en.to_owned(),
        told_zh: zh.to_owned(),
        kind: Kind::Denied,
    };
    if confined.is_protected() && confined.is_row_level() {
        return Err(refused(
            "egress.row-level-export",
            "row-level results of protected data do not leave the domain; export an aggregate. [CG-B 汇聚 L2-5, L3-5]",
            "受保护数据的逐行结果不得出域；请导出聚合结果。〔CG-B 汇聚 L2-5、L3-5〕",
        ));
    }
    if confined.owed().two_approvals {
        // INVARIANT (closed until built): nobody can approve an export yet, so that what owes it stays.
        return Err(refused(
            "egress.two-approvals",
            "what the statement reads leaves the domain with two approvals alone, which cannot be given yet; leave it out, or ask inside. [CG-B 汇聚 L2-6]",
            "语句所用数据须经两方批准方可出域，目前尚不支持；请不使用该数据项，或仅在域内查询。〔CG-B 汇聚 L2-6〕",
        ));
    }
    for source in confined.columns().iter().flat_map(|column| &column.sources) {
        let dataset = confined
            .permit()
            .datasets()
            .iter()
            .find(|d| d.name == source.dataset);
        let item = dataset.and_then(|d| d.items.iter().find(|item| item.name == source.item));
        if !item.is_some_and(|item| item.export) {
            return Err(refused(
                "egress.item-not-exported",
                "an item of the result may not leave the domain. [CG-B 汇聚 L2-6]",
                "结果中的某个数据项不得出域。〔CG-B 汇聚 L2-6〕",
            ));
        }
    }
    Ok(())
}

impl Gateway {
    /// Runs a statement and packs its result: data, signed manifest, lineage, plan, proof.
    ///
    /// The files leave only by what is handed out with them.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) async fn export(
        self: &Arc<Self>,
        asking: &Asking,
        sql: &str,
    ) -> Result<(Vec<(String, Vec<u8>)>, Handing), Refused> {
        let granted = self.grant(asking, sql, Action::Export).await?;
        let (leash, query) = (Arc::clone(granted.leash()), granted.query_id().clone());
        let files = leash.hold(self.packed(asking, granted)).await??;
        let handing = Handing {
            gateway: Arc::clone(self),
            query,
            leash,
            is_over: false,
        };
        Ok((files, handing))
    }

    async fn packed(
        &self,
        asking: &Asking,
        granted: Granted,
    ) -> Result<Vec<(String, Vec<u8>)>, Refused> {
        let opened = granted.opened;
        let mut running = self.run(asking, granted).await?;
        let schema = running.schema();
        let mut batches = Vec::new();
        while let Some(batch) = running.next().await {
            match batch {
                Ok(batch) => batches.push(batch),
                Err(refused) => {
                    running.abort(&refused).await;
                    return Err(refused);
                }
            }
        }
        let closed = running.close().await?;
        let data = parquet_of(&schema, &batches)?;
        let sealed = self.sealed(&closed, opened, &data)?;
        let package = self.handed_over(&closed, sealed).await?;
        let mut files: Vec<(String, Vec<u8>)> = package
            .files()
            .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
            .collect();
        files.push((DATA_FILE.to_owned(), data));
        Ok(files)
    }

    /// The manifest, signed over the data and all that is told of it.
    fn sealed(
        &self,
        closed: &Closed,
        opened: DateTime<Utc>,
        data: &[u8],
    ) -> Result<Sealed, Refused> {
        let ledger = &self.domain.ledger;
        let log = ledger.reader().verifier();
        let alone = format!("log {log}\nquorum none\n");
        let printed = closed.confined.plan().print();
        let parts = Parts {
            data: Digest::of(data),
            data_bytes: u64::try_from(data.len()).unwrap_or(u64::MAX),
            plan: &printed,
            log,
            policy: self.witnesses.as_ref().map_or(&alone, |w| w.policy()),
        };
        let manifest = self.manifest(closed, opened)?;
        let sealed = manifest.seal(&parts, &self.domain.manifest_key);
        sealed.map_err(|why| unsealed(&why))
    }

    /// Puts the handing over on record and waits for the witnesses that the domain's policy wants.
    async fn handed_over(&self, closed: &Closed, sealed: Sealed) -> Result<Package, Refused> {
        let ledger = &self.domain.ledger;
        let query = &closed.receipt.query;
        let exported = Event::Exported {
            query: query.clone(),
            manifest: sealed.digest(),
        };
        let appended = ledger.append(&exported, None, closed.at).await;
        let index = appended.map_err(|why| Refused::from(&why))?.index;
        let cosigned = match &self.witnesses {
            Some(witnesses) => witnesses.covering(index).await,
            None => Ok(None),
        };
        let proof = match cosigned {
            Ok(Some(note)) => ledger.reader().prove_under(index, &note),
            Ok(None) => ledger.prove(index),
            Err(why) => {
                tracing::error!(%why, "an export was withheld");
                let withheld = Event::ExportWithheld {
                    query: query.clone(),
                    code: why.code().to_owned(),
                };
                let recorded = ledger.append(&withheld, None, closed.at).await;
                recorded.map_err(|why| Refused::from(&why))?;
                return Err(Refused::new(why.code(), why.told(), Kind::Unavailable));
            }
        };
        let proof = proof.map_err(|why| Refused::from(&why))?;
        let leaf = ledger.leaf(index).map_err(|why| Refused::from(&why))?;
        let handed = Handed {
            leaf: &leaf,
            proof: &proof,
        };
        sealed.recorded(handed).map_err(|why| unsealed(&why))
    }

    fn manifest(&self, closed: &Closed, opened: DateTime<Utc>) -> Result<Manifest, Refused> {
        let confined = &closed.confined;
        let permit = confined.permit();
        let stands = self.domain.live.read();
        let domain = stands.state.name().cloned();
        let (licence, scenario) = (&permit.licence().id, &permit.scenario().id);
        Ok(Manifest {
            operation: Operation {
                query: closed.receipt.query.clone(),
                domain: domain.ok_or_else(|| Refused::internal("register.no-domain"))?,
                pilot: closed.receipt.pilot,
                opened,
                released: closed.at,
            },
            grant: Grant {
                person: permit.caller().person().id.clone(),
                operator: permit.operator().id.clone(),
                licence: licence.clone(),
                scenario: scenario.clone(),
                purpose: permit.scenario().purpose.clone(),
            },
            approvals: stands.approvals.of(licence, scenario),
            decision: Decision {
                plan: confined.digest(),
                policies: permit.policies(),
                register_version: permit.register_version(),
                obligations: confined.obligations(),
            },
            rules: rules(confined, &closed.receipt.register),
            sources: sources(confined),
            content: Content {
                rows: closed.facts.rows,
                bytes: closed.facts.bytes,
                result: closed.facts.result,
                columns: columns(confined),
                influences: confined.influences().to_vec(),
                notice: closed.facts.notice,
                accuracy: closed.facts.accuracy,
                left_out: confined.left_out().to_vec(),
            },
            ledger: self.record(closed)?,
        })
    }

    /// The release as the log has it.
    fn record(&self, closed: &Closed) -> Result<Record, Refused> {
        let (ledger, index) = (&self.domain.ledger, closed.receipt.index);
        let proof = ledger.prove(index).map_err(|why| Refused::from(&why))?;
        let leaf = ledger.leaf(index).map_err(|why| Refused::from(&why))?;
        Ok(Record {
            index,
            leaf: String::from_utf8(leaf).map_err(|why| unsealed(&why))?,
            register: closed.receipt.register.clone(),
            proof: proof.to_string(),
        })
    }
}

fn unsealed(error: &dyn std::fmt::Display) -> Refused {
    tracing::error!(%error, "a package could not be sealed");
    Refused::internal("manifest.unsealed")
}

/// The rules that judged an export that was released: all of them held, or were applied.
fn rules(confined: &Confined, register: &str) -> Vec<Rule> {
    let owed = |owed: bool, outcome| if owed { outcome } else { RuleOutcome::NotOwed };
    let rule = |rule: &str, clause: Option<&str>, outcome| Rule {
        rule: rule.to_owned(),
        clause: clause.map(str::to_owned),
        outcome,
    };
    vec![
        rule("policy", Some("AO-12, CG-B"), RuleOutcome::Held),
        rule(
            "confine.thresholds",
            Some("CG-B 汇聚 L3-4"),
            owed(confined.notice_possible(), RuleOutcome::Applied),
        ),
        rule(
            "disclosure.register",
            None,
            match register {
                "none" => RuleOutcome::NotOwed,
                "perturbed" => RuleOutcome::Applied,
                _ => RuleOutcome::Held,
            },
        ),
        rule(
            "egress.row-level-export",
            Some("CG-B 汇聚 L2-5, L3-5"),
            owed(confined.is_protected(), RuleOutcome::Held),
        ),
        rule(
            "egress.item-not-exported",
            Some("CG-B 汇聚 L2-6"),
            RuleOutcome::Held,
        ),
        rule("egress.too-many-rows", None, RuleOutcome::Held),
        rule("egress.too-many-bytes", None, RuleOutcome::Held),
    ]
}

/// What the plan reads, by dataset.
fn sources(confined: &Confined) -> Vec<Source> {
    let permit = confined.permit();
    let mut items: BTreeMap<&DatasetName, Vec<SourceItem>> = BTreeMap::new();
    for reference in confined.references() {
        let dataset = permit
            .datasets()
            .iter()
            .find(|d| d.name == reference.dataset);
        let item = dataset.and_then(|d| d.items.iter().find(|item| item.name == reference.item));
        items
            .entry(&reference.dataset)
            .or_default()
            .push(SourceItem {
                item: reference.item.clone(),
                grade: reference.grade,
                way: reference.way.clone(),
                mask: item.map_or(Mask::Suppress, |item| item.mask),
            });
    }
    let sources = items.into_iter().map(|(name, items)| {
        let dataset = permit.datasets().iter().find(|d| &d.name == name);
        Source {
            dataset: name.clone(),
            snapshot: dataset.map_or(0, |d| d.snapshot),
            k: dataset.filter(|d| d.protected).map(|d| d.k),
            cells: dataset.filter(|d| d.protected).map(cells),
            items,
        }
    });
    sources.collect()
}

fn cells(dataset: &PermittedDataset) -> CellRules {
    let owed = &dataset.disclosure;
    CellRules {
        share_percent: owed.share_percent,
        rest_percent: owed.rest_percent,
        spread: owed.spread,
        freedom: owed.freedom,
        explained_percent: owed.explained_percent,
    }
}

fn parquet_of(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>, Refused> {
    let written = || {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, schema.clone(), Some(properties))?;
        for batch in batches {
            writer.write(batch)?;
        }
        writer.close()?;
        Ok::<_, parquet::errors::ParquetError>(bytes)
    };
    written().map_err(|error| {
        tracing::error!(%error, "a result could not be written as parquet");
        Refused::internal("gateway.unwritten")
    })
}
