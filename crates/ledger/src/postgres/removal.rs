use super::Postgres;
use crate::Breach;
use crate::storage::{PREFIX, Removal, signed, unsigned};
use std::collections::BTreeMap;

/// One statement, so all or none.
const REMOVE: &str = "
    WITH runs AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS r(first, past)),
    part AS (
        DELETE FROM bonded_ledger.sealed USING runs WHERE idx >= first AND idx < past
    )
    DELETE FROM bonded_ledger.event USING runs WHERE idx >= first AND idx < past";

impl Removal for Postgres {
    fn parts_by_prefix(&self) -> Result<BTreeMap<Vec<u8>, u64>, Breach> {
        let sql = "SELECT substring(part FROM 1 FOR $1) AS prefix, count(*) \
                   FROM bonded_ledger.sealed GROUP BY prefix";
        let rows = self.session.ask(move |wire| wire.query(sql, &[&PREFIX]))?;
        let counted = |row: &postgres::Row| (row.get(0), unsigned(row.get(1)));
        Ok(rows.iter().map(counted).collect())
    }

    fn remove_part(&mut self, index: u64) -> Result<(), Breach> {
        let sql = "DELETE FROM bonded_ledger.sealed WHERE idx = $1";
        let index = signed(index);
        self.session
            .ask(move |wire| wire.execute(sql, &[&index]))
            .map(|_| ())
    }

    fn remove_parts(&mut self, prefix: &[u8]) -> Result<(), Breach> {
        let sql = "DELETE FROM bonded_ledger.sealed WHERE substring(part FROM 1 FOR $1) = $2";
        let prefix = prefix.to_vec();
        self.session
            .ask(move |wire| wire.execute(sql, &[&PREFIX, &prefix]))
            .map(|_| ())
    }

    fn remove_entries(&mut self, runs: &[(u64, u64)]) -> Result<(), Breach> {
        let runs = runs.iter();
        let (first, past): (Vec<i64>, Vec<i64>) = runs
            .map(|(first, past)| (signed(*first), signed(*past)))
            .unzip();
        self.session
            .ask(move |wire| wire.execute(REMOVE, &[&first, &past]))
            .map(|_| ())
    }
}
