/// The largest plan that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Encoded size, in bytes.
    pub bytes_max: usize,
    /// Nodes and expressions in all.
    pub items_max: usize,
    /// Nodes and expressions inside each other.
    pub depth_max: usize,
    /// Columns of one node.
    pub columns_max: usize,
    /// Scanned texts put together in one value, each as long as the longest.
    pub texts_max: u64,
    /// The plan's own bytes put together in one value.
    pub text_bytes_max: u64,
    /// The plan's own bytes in the pattern of one LIKE.
    pub pattern_bytes_max: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            bytes_max: 1 << 20,
            items_max: 20_000,
            depth_max: 200,
            columns_max: 2_000,
            texts_max: 256,
            text_bytes_max: 64 << 10,
            pattern_bytes_max: 4 << 10,
        }
    }
}
