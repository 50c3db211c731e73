use std::collections::BTreeMap;

/// What a statement may be at most. One place for every number; all are settable.
///
/// Units: bytes of UTF-8, tokens of the parser's own tokenizer, else pieces of the named kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The text, in bytes.
    pub statement_bytes_max: usize,
    /// Words, numbers, literals and signs; blanks and comments aside.
    pub tokens_max: usize,
    /// Parentheses, brackets and braces inside each other.
    pub depth_max: usize,
    /// How often one token may stand in a row.
    pub run_tokens_max: usize,
    /// Operators in a row at one depth, between commas, clauses, `AND`s and `OR`s: each nests the last.
    pub chain_operators_max: usize,
    /// `AND`, `OR`, `||` and set operations in all.
    pub arms_max: usize,
    /// Commas in all: list entries, columns, rows of `VALUES`.
    pub commas_max: usize,
    /// `JOIN`s in all.
    pub joins_max: usize,
    /// `CASE`s in all.
    pub cases_max: usize,
    /// Common table expressions in all.
    pub ctes_max: usize,
    /// Tables read once each common table expression is written out where it is named.
    pub relations_max: usize,
    /// One identifier, in bytes.
    pub identifier_bytes_max: usize,
    /// What the parser itself nests.
    pub parser_depth_max: usize,
    /// Expressions that the parser begins to read, in all its attempts.
    pub parser_steps_max: usize,
    /// Nodes and expressions made in translation, copies included.
    pub items_max: usize,
}

impl Limits {
    /// The limits with what a domain tightens; none where a name is none of them.
    #[must_use]
    pub fn tightened(mut self, by: &BTreeMap<String, u64>) -> Option<Self> {
        for (name, most) in by {
            let limit = match name.as_str() {
                "statement_bytes_max" => &mut self.statement_bytes_max,
                "tokens_max" => &mut self.tokens_max,
                "depth_max" => &mut self.depth_max,
                "run_tokens_max" => &mut self.run_tokens_max,
                "chain_operators_max" => &mut self.chain_operators_max,
                "arms_max" => &mut self.arms_max,
                "commas_max" => &mut self.commas_max,
                "joins_max" => &mut self.joins_max,
                "cases_max" => &mut self.cases_max,
                "ctes_max" => &mut self.ctes_max,
                "relations_max" => &mut self.relations_max,
                "identifier_bytes_max" => &mut self.identifier_bytes_max,
                "parser_depth_max" => &mut self.parser_depth_max,
                "parser_steps_max" => &mut self.parser_steps_max,
                "items_max" => &mut self.items_max,
                _ => return None,
            };
            *limit = usize::try_from(*most).map_or(*limit, |most| most.min(*limit));
        }
        Some(self)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            statement_bytes_max: 64 << 10,
            tokens_max: 8_000,
            depth_max: 64,
            run_tokens_max: 16,
            chain_operators_max: 128,
            arms_max: 256,
            commas_max: 2_000,
            joins_max: 16,
            cases_max: 64,
            ctes_max: 16,
            relations_max: 64,
            identifier_bytes_max: 256,
            parser_depth_max: 50,
            parser_steps_max: 100_000,
            items_max: plan::Bounds::default().items_max,
        }
    }
}

#[cfg(test)]
mod tests;
