use confine::Confined;
use lineage::{Column, Drawn, Input};

/// Where each column of the result comes from: on record with the decision.
pub(crate) fn drawn(confined: &Confined) -> Drawn {
    let permitted = confined.permit().datasets();
    let inputs = confined
        .sources()
        .into_iter()
        .map(|(dataset, snapshot, _)| {
            let protected = permitted.iter().find(|d| d.name == dataset && d.protected);
            Input {
                k: protected.map(|d| d.k),
                dataset,
                snapshot,
            }
        });
    Drawn {
        inputs: inputs.collect(),
        columns: columns(confined),
        influences: confined.influences().to_vec(),
    }
}

/// The result's columns with their sources.
pub(crate) fn columns(confined: &Confined) -> Vec<Column> {
    let columns = confined.columns().iter().map(|column| Column {
        name: column.name.clone(),
        data_type: column.data_type,
        sources: column.sources.clone(),
    });
    columns.collect()
}
