use crate::Key;

/// The key of one snapshot: the smallest thing that can be destroyed.
///
/// Source: NIST SP 800-88r2, cryptographic erase.
#[derive(Debug)]
pub(crate) struct Unit {
    key: Key,
}

// === impl Unit ===

impl Unit {
    /// The unit under this key.
    pub(crate) const fn new(key: Key) -> Self {
        Self { key }
    }

    /// The key of the file's footer: names and positions of columns.
    pub(crate) fn footer_key(&self) -> Key {
        self.key.derive("footer", b"")
    }

    /// The key of one column; all leaves of a nested column share it.
    pub(crate) fn column_key(&self, column: &str) -> Key {
        self.key.derive("column", column.as_bytes())
    }
}
