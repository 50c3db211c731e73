//! A released result as a signed package. What may not leave is refused before it runs.

use crate::{Asking, Gateway, Kind, Refused, operation::Closed};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use confine::Confined;
use manifest::{
    Column, Content, DATA_FILE, Decision, Grant, Manifest, Operation, Parts, Record, Source,
    SourceItem,
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use std::collections::BTreeMap;
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
    /// # Errors
    /// [`Refused`].
    pub async fn export(
        &self,
        asking: &Asking,
        sql: &str,
    ) -> Result<Vec<(String, Vec<u8>)>, Refused> {
        let granted = self.grant(asking, sql, Action::Export).await?;
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
        let broken = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "a package could not be sealed");
            Refused::internal("manifest.unsealed")
        };
        let ledger = &self.domain.ledger;
        let index = closed.receipt.index;
        let proof = ledger.prove(index).map_err(|why| Refused::from(&why))?;
        let leaf = ledger.leaf(index).map_err(|why| Refused::from(&why))?;
        let leaf = String::from_utf8(leaf).map_err(|error| broken(&error))?;
        let printed = closed.confined.plan().print();
        let manifest = self.manifest(&closed, opened, leaf)?;
        let log = ledger.reader().verifier();
        let parts = Parts {
            data: Digest::of(&data),
            plan: &printed,
            proof: &proof,
            log,
        };
        let package = manifest
            .seal(&parts, &self.domain.manifest_key)
            .map_err(|e| broken(&e))?;
        let exported = Event::Exported {
            query: closed.receipt.query.clone(),
            manifest: package.digest(),
        };
        ledger
            .append(&exported, None, closed.at)
            .await
            .map_err(|why| Refused::from(&why))?;
        let mut files: Vec<(String, Vec<u8>)> = package
            .files()
            .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
            .collect();
        files.push((DATA_FILE.to_owned(), data));
        Ok(files)
    }

    fn manifest(
        &self,
        closed: &Closed,
        opened: chrono::DateTime<chrono::Utc>,
        leaf: String,
    ) -> Result<Manifest, Refused> {
        let confined = &closed.confined;
        let permit = confined.permit();
        let domain = self.domain.state.name().cloned();
        let domain = domain.ok_or_else(|| Refused::internal("register.no-domain"))?;
        let columns = confined.columns().iter().map(|column| Column {
            name: column.name.clone(),
            data_type: column.data_type,
            sources: column.sources.clone(),
        });
        Ok(Manifest {
            operation: Operation {
                query: closed.receipt.query.clone(),
                domain,
                pilot: closed.receipt.pilot,
                opened,
                released: closed.at,
            },
            grant: Grant {
                person: permit.caller().person().id.clone(),
                operator: permit.operator().id.clone(),
                licence: permit.licence().id.clone(),
                scenario: permit.scenario().id.clone(),
                purpose: permit.scenario().purpose.clone(),
            },
            decision: Decision {
                plan: confined.digest(),
                policies: permit.policies(),
                register_version: permit.register_version(),
            },
            sources: sources(confined),
            content: Content {
                rows: closed.facts.rows,
                bytes: closed.facts.bytes,
                result: closed.facts.result,
                columns: columns.collect(),
                influences: confined.influences().to_vec(),
                notice: closed.facts.notice,
                left_out: confined.left_out().to_vec(),
            },
            ledger: Record {
                index: closed.receipt.index,
                leaf,
                register: closed.receipt.register.clone(),
            },
        })
    }
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
            items,
        }
    });
    sources.collect()
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
