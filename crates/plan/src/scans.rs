use crate::{Expr, Node, Scan, View};
use terms::Mask;

impl Scan {
    /// Whether nothing of the dataset is hidden from who reads these columns of it: each is shown plain,
    /// and no row policy stands above them.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let plain = View::masked(Mask::Plain, None);
        self.rows.is_none() && self.columns.iter().all(|column| column.view == plain)
    }
}

impl Node {
    /// Every scan below and here, those inside scalar subqueries among them.
    #[must_use]
    pub fn scans(&self) -> Vec<&Scan> {
        let (mut nodes, mut scans) = (vec![self], Vec::new());
        while let Some(node) = nodes.pop() {
            if let Self::Scan(scan) = node {
                scans.push(scan);
            }
            let mut exprs: Vec<&Expr> = node.exprs().collect();
            while let Some(expr) = exprs.pop() {
                if let Expr::Scalar(inside) = expr {
                    nodes.push(inside);
                }
                exprs.extend(expr.children());
            }
            nodes.extend(node.inputs());
        }
        scans
    }

    /// Whether some column is shown as tokens: only such a plan needs the key that makes them.
    #[must_use]
    pub fn makes_tokens(&self) -> bool {
        let scans = self.scans();
        let mut views = scans.iter().flat_map(|scan| &scan.columns);
        views.any(|column| matches!(column.view, View::Masked(mask, _) if Mask::from(mask) == Mask::Token))
    }
}
