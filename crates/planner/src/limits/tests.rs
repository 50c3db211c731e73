use super::*;

/// `docs/lockdown.md` names each limit once, with its default.
#[test]
fn the_limits_of_a_statement_are_as_written() {
    let text = include_str!("../../../../docs/lockdown.md");
    let (_, section) = text.split_once("\n## Limits of a statement\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let written = rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ");
        let name = cells.next().unwrap().trim().trim_matches('`');
        (name, cells.next().unwrap().parse().unwrap())
    });
    let Limits {
        statement_bytes_max,
        tokens_max,
        depth_max,
        run_tokens_max,
        chain_operators_max,
        arms_max,
        commas_max,
        joins_max,
        cases_max,
        ctes_max,
        relations_max,
        identifier_bytes_max,
        parser_depth_max,
        parser_steps_max,
        items_max,
    } = Limits::default();
    let wanted = [
        ("statement_bytes_max", statement_bytes_max),
        ("tokens_max", tokens_max),
        ("depth_max", depth_max),
        ("run_tokens_max", run_tokens_max),
        ("chain_operators_max", chain_operators_max),
        ("arms_max", arms_max),
        ("commas_max", commas_max),
        ("joins_max", joins_max),
        ("cases_max", cases_max),
        ("ctes_max", ctes_max),
        ("relations_max", relations_max),
        ("identifier_bytes_max", identifier_bytes_max),
        ("parser_depth_max", parser_depth_max),
        ("parser_steps_max", parser_steps_max),
        ("items_max", items_max),
    ];
    assert_eq!(written.collect::<Vec<(&str, usize)>>(), wanted);
}

/// A domain may tighten each limit, loosen none, and name no other.
#[test]
fn a_domain_tightens_by_name() {
    let limits = Limits::default();
    for name in wire::job::STATEMENT_LIMITS {
        let of = |most| limits.tightened(&[(name.to_owned(), most)].into()).unwrap();
        assert_ne!(of(1), limits, "{name}");
        assert_eq!(of(u64::MAX), limits, "{name}");
    }
    assert_eq!(limits.tightened(&[("joins".to_owned(), 1)].into()), None);
    let fields = format!("{limits:?}").matches(':').count();
    assert_eq!(fields, wire::job::STATEMENT_LIMITS.len());
}
