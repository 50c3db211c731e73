use super::Sqlite;
use crate::Breach;
use crate::storage::{PREFIX, Removal, signed, unsigned};
use rusqlite::params;
use std::collections::BTreeMap;

impl Removal for Sqlite {
    fn parts_by_prefix(&self) -> Result<BTreeMap<Vec<u8>, u64>, Breach> {
        let sql = "SELECT substr(part, 1, ?1), count(*) FROM sealed GROUP BY 1";
        self.database
            .prepare_cached(sql)
            .and_then(|mut query| {
                query
                    .query_map(params![PREFIX], |row| {
                        Ok((row.get(0)?, unsigned(row.get(1)?)))
                    })
                    .and_then(Iterator::collect)
            })
            .map_err(|source| self.failed(source))
    }

    fn remove_part(&mut self, index: u64) -> Result<(), Breach> {
        let sql = "DELETE FROM sealed WHERE idx = ?1";
        let removed = self.database.execute(sql, params![signed(index)]);
        removed.map(|_| ()).map_err(|source| self.failed(source))
    }

    fn remove_parts(&mut self, prefix: &[u8]) -> Result<(), Breach> {
        let sql = "DELETE FROM sealed WHERE substr(part, 1, ?1) = ?2";
        let removed = self.database.execute(sql, params![PREFIX, prefix]);
        removed.map(|_| ()).map_err(|source| self.failed(source))
    }

    fn remove_entries(&mut self, runs: &[(u64, u64)]) -> Result<(), Breach> {
        let removed = remove(&mut self.database, runs);
        removed.map_err(|source| self.failed(source))
    }
}

fn remove(database: &mut rusqlite::Connection, runs: &[(u64, u64)]) -> rusqlite::Result<()> {
    let transaction =
        database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for table in ["sealed", "event"] {
        let sql = format!("DELETE FROM {table} WHERE idx >= ?1 AND idx < ?2");
        let mut delete = transaction.prepare_cached(&sql)?;
        for (first, end) in runs {
            delete.execute(params![signed(*first), signed(*end)])?;
        }
    }
    transaction.commit()
}
