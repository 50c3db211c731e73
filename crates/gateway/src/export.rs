//! A released result as a signed package. What may not leave is refused before it runs.

mod handing; // a package on its way out
mod trial; // what a product would release, for those who review it

use self::handing::Handing;
use crate::{
    Aim, Asking, Gateway, Granted, Kind, Refused, Running, drawn::columns, leash::Leashed,
    operation::Closed,
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
use terms::{DatasetName, Digest, Event, Mask, ProductId};

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
    /// The approved product whose results a plan makes: what leaves is the release of one. In a pilot
    /// there may be none, but for what leaves with two approvals alone.
    ///
    /// # Errors
    /// [`Refused`], with the way to one.
    pub(crate) fn released_as(&self, confined: &Confined) -> Result<Option<ProductId>, Refused> {
        let stands = self.domain.live.read();
        let scenario = &confined.permit().scenario().id;
        let product = stands.state.product_releasing(scenario, confined.digest());
        match product {
            Some(standing) => Ok(Some(standing.product.id.clone())),
            None if stands.state.pilot() && !confined.owed().two_approvals => Ok(None),
            None => Err(unapproved()),
        }
    }

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
        let granted = self.grant(asking, sql, Aim::Export).await?;
        let (leash, query) = (Arc::clone(granted.leash()), granted.query_id().clone());
        let (files, product) = leash.hold(self.packed(asking, granted)).await??;
        let handing = Handing {
            gateway: Arc::clone(self),
            query,
            product,
            leash,
            is_over: false,
        };
        Ok((files, handing))
    }

    async fn packed(
        &self,
        asking: &Asking,
        granted: Granted,
    ) -> Result<(Vec<(String, Vec<u8>)>, Option<ProductId>), Refused> {
        let opened = granted.opened;
        let (schema, batches, closed) = collected(self.run(asking, granted).await?).await?;
        // It may have been recalled since it was granted.
        let product = self.released_as(&closed.confined)?;
        let data = parquet_of(&schema, &batches)?;
        let sealed = self.sealed(&closed, (opened, product.as_ref()), &data)?;
        let package = self.handed_over(&closed, sealed, product.clone()).await?;
        let mut files: Vec<(String, Vec<u8>)> = package
            .files()
            .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
            .collect();
        files.push((DATA_FILE.to_owned(), data));
        Ok((files, product))
    }

    /// The manifest, signed over the data and all that is told of it.
    fn sealed(
        &self,
        closed: &Closed,
        of: (DateTime<Utc>, Option<&ProductId>),
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
        let manifest = self.manifest(closed, of)?;
        let sealed = manifest.seal(&parts, &self.domain.manifest_key);
        sealed.map_err(|why| unsealed(&why))
    }

    /// Puts the handing over on record and waits for the witnesses that the domain's policy wants.
    async fn handed_over(
        &self,
        closed: &Closed,
        sealed: Sealed,
        product: Option<ProductId>,
    ) -> Result<Package, Refused> {
        let ledger = &self.domain.ledger;
        let query = &closed.receipt.query;
        let exported = Event::Exported {
            query: query.clone(),
            manifest: sealed.digest(),
            product,
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

    /// What was decided and found, with when it was asked for and the product that it releases.
    fn manifest(
        &self,
        closed: &Closed,
        (opened, product): (DateTime<Utc>, Option<&ProductId>),
    ) -> Result<Manifest, Refused> {
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
                product: product.cloned(),
            },
            approvals: stands.approvals.of(licence, scenario, product),
            decision: Decision {
                plan: confined.digest(),
                policies: permit.policies(),
                register_version: permit.register_version(),
                obligations: confined.obligations(),
            },
            rules: rules(confined, &closed.receipt.register, product),
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

/// All that a running statement releases.
async fn collected(mut running: Running) -> Result<(SchemaRef, Vec<RecordBatch>, Closed), Refused> {
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
    Ok((schema, batches, running.close().await?))
}

fn unapproved() -> Refused {
    Refused {
        code: "egress.no-product".to_owned(),
        told_en: "what leaves the domain is the release of an approved product: register this very statement as one (`bonded product register --sql`) and have both authorities review it. A plan that policies, grades or masks have changed since is another one. [AO-17]".to_owned(),
        told_zh: "出域结果须为已审核通过的公共数据产品：请以该语句登记产品（bonded product register --sql），并经两个主管部门审核；政策、等级或脱敏方式变更后须重新登记。〔AO-17〕".to_owned(),
        kind: Kind::Denied,
    }
}

fn unsealed(error: &dyn std::fmt::Display) -> Refused {
    tracing::error!(%error, "a package could not be sealed");
    Refused::internal("manifest.unsealed")
}

/// The rules that judged an export that was released: all of them held, or were applied.
fn rules(confined: &Confined, register: &str, product: Option<&ProductId>) -> Vec<Rule> {
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
        rule(
            "egress.no-product",
            Some("AO-17"),
            owed(product.is_some(), RuleOutcome::Held),
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
