//! What no parser is given. Length first, then characters, then the tokens: iterative, no recursion.
//!
//! The tokens are those of the parser's own tokenizer, and the parser is given these very tokens: a
//! second reading of the text could see quotes and comments elsewhere than the first.

use crate::{
    Limits, Unplannable,
    characters::{is_hidden, is_odd_blank, is_unmistakable, is_variation_selector, selectors_fit},
};
use datafusion::sql::sqlparser::{
    dialect::GenericDialect,
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace, Word},
};

/// Refuses text that a parser should not see; gives the tokens it may see. `known` are identifiers that
/// the catalogue has: they are the authority's, whatever their letters.
///
/// # Errors
/// [`Unplannable::Guarded`] with the limit's name; [`Unplannable::NotAQuery`] for other statements.
pub fn guarded(
    sql: &str,
    limits: &Limits,
    known: &dyn Fn(&str) -> bool,
) -> Result<Vec<TokenWithSpan>, Unplannable> {
    within(sql.len(), limits.statement_bytes_max, "length")?;
    refuse(sql.chars().any(is_hidden), "hidden characters")?;
    // MySQL's executable comments: text that reads as a comment and is parsed as a statement.
    refuse(sql.contains("/*!"), "executable comments")?;
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize_with_location()
        .map_err(|_| Unplannable::Guarded("unclosed quotes"))?;
    let mut counts = Counts::new(limits);
    let mut unusual = 0;
    for TokenWithSpan { token, .. } in &tokens {
        match token {
            Token::Whitespace(
                Whitespace::Space
                | Whitespace::Newline
                | Whitespace::Tab
                | Whitespace::SingleLineComment { .. }
                | Whitespace::MultiLineComment(_),
            ) => {}
            Token::SingleQuotedString(literal) => {
                refuse(!selectors_fit(literal), "hidden characters")?;
                unusual += literal.chars().filter(|c| is_unusual(*c)).count();
                counts.token("'", Keyword::NoKeyword)?;
            }
            Token::Word(word) => counts.word(word, known)?,
            Token::Number(..) => counts.token("0", Keyword::NoKeyword)?,
            other => {
                refuse(is_other_literal(other), "other literals than 'text'")?;
                counts.token(&other.to_string(), Keyword::NoKeyword)?;
            }
        }
    }
    // What is unusual and in no literal hides elsewhere.
    let all = sql.chars().filter(|c| is_unusual(*c)).count();
    refuse(all > unusual, "hidden characters")?;
    Ok(tokens)
}

fn is_unusual(c: char) -> bool {
    is_variation_selector(c) || is_odd_blank(c)
}

fn within(count: usize, max: usize, what: &'static str) -> Result<(), Unplannable> {
    refuse(count > max, what)
}

const fn refuse(refused: bool, what: &'static str) -> Result<(), Unplannable> {
    if refused {
        Err(Unplannable::Guarded(what))
    } else {
        Ok(())
    }
}

/// Literals with escapes, delimiters or bytes of their own: what they say is not what is read.
const fn is_other_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::DoubleQuotedString(_)
            | Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::TripleSingleQuotedByteStringLiteral(_)
            | Token::TripleDoubleQuotedByteStringLiteral(_)
            | Token::SingleQuotedRawStringLiteral(_)
            | Token::DoubleQuotedRawStringLiteral(_)
            | Token::TripleSingleQuotedRawStringLiteral(_)
            | Token::TripleDoubleQuotedRawStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::QuoteDelimitedStringLiteral(_)
            | Token::NationalQuoteDelimitedStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}

/// What has been counted so far.
struct Counts<'l> {
    limits: &'l Limits,
    tokens: usize,
    arms: usize,
    commas: usize,
    joins: usize,
    cases: usize,
    run: usize,
    last: String,
    /// Operators of the chain at each depth.
    chains: Vec<usize>,
}

impl<'l> Counts<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            tokens: 0,
            arms: 0,
            commas: 0,
            joins: 0,
            cases: 0,
            run: 0,
            last: String::new(),
            chains: vec![0],
        }
    }

    fn word(&mut self, word: &Word, known: &dyn Fn(&str) -> bool) -> Result<(), Unplannable> {
        within(
            word.value.len(),
            self.limits.identifier_bytes_max,
            "identifier length",
        )?;
        let mistakable = !known(&word.value) && !is_unmistakable(&word.value);
        refuse(mistakable, "identifiers that look like others")?;
        if word.quote_style.is_some() {
            return self.token("\"", Keyword::NoKeyword);
        }
        match word.keyword {
            Keyword::TABLESAMPLE | Keyword::SAMPLE => {
                return Err(Unplannable::Guarded("table samples"));
            }
            Keyword::STRUCT | Keyword::MAP | Keyword::ARRAY | Keyword::NESTED | Keyword::TUPLE => {
                return Err(Unplannable::Guarded("nested types"));
            }
            _ => {}
        }
        if self.tokens == 0 && !begins_query(word.keyword) {
            return Err(Unplannable::NotAQuery);
        }
        self.token(&word.value.to_ascii_uppercase(), word.keyword)
    }

    fn token(&mut self, token: &str, keyword: Keyword) -> Result<(), Unplannable> {
        self.tokens += 1;
        within(self.tokens, self.limits.tokens_max, "tokens")?;
        match token {
            "(" | "[" | "{" => {
                self.nests(token == "[")?;
                self.chains.push(0);
                within(self.chains.len() - 1, self.limits.depth_max, "depth")?;
            }
            ")" | "]" | "}" => {
                if self.chains.len() > 1 {
                    self.chains.pop();
                }
            }
            "," => {
                self.commas += 1;
                within(self.commas, self.limits.commas_max, "list length")?;
                self.links();
            }
            "||" => {
                self.arm()?;
                self.nests(true)?;
            }
            "'" | "\"" | "0" | "." | ";" | "*" if keyword == Keyword::NoKeyword => {
                self.nests(token == "*")?;
            }
            _ => self.named(token, keyword)?,
        }
        self.runs(token)
    }

    /// A word, or a sign that no other rule is about: an operator unless it is a letter's.
    fn named(&mut self, token: &str, keyword: Keyword) -> Result<(), Unplannable> {
        match keyword {
            Keyword::AND
            | Keyword::OR
            | Keyword::XOR
            | Keyword::UNION
            | Keyword::INTERSECT
            | Keyword::EXCEPT
            | Keyword::MINUS => {
                self.arm()?;
                self.links();
            }
            Keyword::JOIN | Keyword::APPLY => {
                self.joins += 1;
                within(self.joins, self.limits.joins_max, "joins")?;
                self.links();
            }
            Keyword::CASE => {
                self.cases += 1;
                within(self.cases, self.limits.cases_max, "cases")?;
            }
            Keyword::SELECT
            | Keyword::FROM
            | Keyword::WHERE
            | Keyword::ON
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::ORDER
            | Keyword::WHEN
            | Keyword::THEN
            | Keyword::ELSE => {
                self.links();
            }
            _ => {
                let sign = !token
                    .starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '#' | '@' | '$'));
                self.nests(sign || is_operator(keyword))?;
            }
        }
        Ok(())
    }

    fn arm(&mut self) -> Result<(), Unplannable> {
        self.arms += 1;
        within(self.arms, self.limits.arms_max, "arms")
    }

    /// An operator puts what was before it one deeper.
    fn nests(&mut self, operator: bool) -> Result<(), Unplannable> {
        let Some(chain) = self.chains.last_mut() else {
            return Ok(());
        };
        *chain += usize::from(operator);
        within(
            *chain,
            self.limits.chain_operators_max,
            "operators in a row",
        )
    }

    /// What follows stands beside what was before, not around it.
    fn links(&mut self) {
        if let Some(chain) = self.chains.last_mut() {
            *chain = 0;
        }
    }

    fn runs(&mut self, token: &str) -> Result<(), Unplannable> {
        if token == self.last && !matches!(token, ")" | "'" | "\"" | "0") {
            self.run += 1;
        } else {
            self.run = 1;
            self.last.clear();
            self.last.push_str(token);
        }
        within(self.run, self.limits.run_tokens_max, "repetition")
    }
}

/// The words a query begins with; and what is no word of SQL, which is the parser's to refuse.
const fn begins_query(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::FROM | Keyword::NoKeyword
    )
}

/// Words that stand around an expression as operators do.
const fn is_operator(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::BETWEEN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::SIMILAR
            | Keyword::COLLATE
            | Keyword::AT
            | Keyword::DIV
            | Keyword::INTERVAL
            | Keyword::PRIOR
            | Keyword::EXISTS
            | Keyword::OPERATOR
            | Keyword::NOTNULL
            | Keyword::OVERLAPS
            | Keyword::MEMBER
            | Keyword::MATCH
    )
}

#[cfg(test)]
mod tests;
