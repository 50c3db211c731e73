use terms::{DatasetName, Grade, ItemName, Told};

/// A statement that cannot be confined: why, over which item, by which clause, and the smallest change
/// that would allow it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}{}", cause.code(), cause.told().en, self.place())]
pub struct Unconfinable {
    /// Why.
    pub cause: Cause,
    /// Over which item, where there is one; always one the caller's catalogue shows.
    pub item: Option<(DatasetName, ItemName, Grade)>,
}

impl Unconfinable {
    fn place(&self) -> String {
        self.item
            .as_ref()
            .map_or_else(String::new, |(dataset, item, grade)| {
                format!(" (`{dataset}`.`{item}`, grade {grade})")
            })
    }

    /// The stable code, for machines and the ledger.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.cause.code()
    }

    /// What the caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        self.cause.told()
    }
}

impl From<Cause> for Unconfinable {
    fn from(cause: Cause) -> Self {
        Self { cause, item: None }
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $clause:literal, $en:literal, $zh:literal, $fix_en:literal, $fix_zh:literal);+ $(;)?) => {
        /// Why a statement cannot be confined.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Cause { $($(#[$doc])* $name),+ }

        impl Cause {
            /// The whole list.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The clause it rests on.
            #[must_use]
            pub const fn clause(self) -> &'static str {
                match self { $(Self::$name => $clause),+ }
            }

            /// What the caller hears.
            #[must_use]
            pub const fn told(self) -> Told {
                match self { $(Self::$name => Told::new($en, $zh)),+ }
            }

            /// The smallest change that would allow it.
            #[must_use]
            pub const fn remedy(self) -> Told {
                match self { $(Self::$name => Told::new($fix_en, $fix_zh)),+ }
            }
        }
    };
}

causes! {
    /// The draft names what the permit does not hold.
    UnknownName = "planner.unknown-name", "AO-12",
        "a table or column in the statement is not known in this scenario.",
        "语句中的某个表或字段在本场景中不存在。",
        "Use the names that the catalogue lists.", "请使用目录中列出的名称。";
    /// The draft does not fit the plan language's rules.
    IllTyped = "confine.ill-typed", "–",
        "the statement does not have consistent types.", "语句的数据类型不一致。",
        "Write the casts that the statement needs.", "请显式写出所需的类型转换。";
    /// A suppressed item stands in an expression, a key or a set operation.
    RawInExpression = "confine.raw-in-expression", "CG-B 汇聚 L2-4",
        "an item that is shown to nobody is used outside an approved aggregate.",
        "不予显示的数据项只能用于经批准的聚合函数中。",
        "Put the bare item inside COUNT, SUM, AVG, STDDEV or VARIANCE; move conditions into FILTER over shown items.",
        "请将该数据项直接放入 COUNT、SUM、AVG、STDDEV 或 VARIANCE，条件移入 FILTER 并只使用可见数据项。";
    /// An aggregate that is not approved meets a suppressed item.
    NotApprovedAggregate = "confine.not-approved-aggregate", "CG-B 汇聚 L2-4",
        "this aggregate may not see raw values of the item.", "该聚合函数不得读取此数据项的原始值。",
        "Use COUNT, SUM, AVG, STDDEV or VARIANCE over the bare item.",
        "请改用 COUNT、SUM、AVG、STDDEV 或 VARIANCE，并只写该数据项本身。";
    /// A token is compared, ordered or computed with.
    TokenMisused = "confine.token-misused", "CG-B 汇聚 L2-4",
        "a token can be shown, counted, grouped and joined, but not compared with other values or computed with.",
        "令牌只能显示、计数、分组和等值连接，不能与其他值比较或参与计算。",
        "Join or group by the token, or count it.", "请对令牌进行连接、分组或计数。";
    /// Tokens of two identifier domains meet.
    TokenDomains = "confine.token-domains", "CG-B 汇聚 L2-4",
        "tokens of two different identifiers are compared.", "比较了两种不同标识符的令牌。",
        "Compare tokens of the same identifier domain.", "请只比较同一标识域的令牌。";
    /// A token of operator-supplied data is used other than in a join.
    TokenJoinOnly = "confine.token-join-only", "AO-16(3)",
        "identifiers of operator-supplied data can only be joined.", "运营单位自有数据的标识符只能用于连接。",
        "Use the identifier in a join condition only.", "请仅在连接条件中使用该标识符。";
    /// Rows of a protected dataset would show, and the scenario does not allow rows.
    RowsOff = "confine.rows-off", "CG-B 汇聚 L2-4",
        "row-level results of this dataset are not approved in this scenario.",
        "本场景未批准显示该数据集的逐行结果。",
        "Aggregate the rows, or apply for row-level results of this scenario.",
        "请改为聚合查询，或为本场景申请逐行结果。";
    /// The row policy reads more of an item than it may.
    RowPolicy = "confine.row-policy", "AO-2",
        "the row policy of this dataset reads an item that row policies may not read.",
        "该数据集的行策略读取了行策略不得读取的数据项。",
        "Apply for a scenario whose row policy reads items of grade 1 or 2.",
        "请重新申请场景，其行策略仅使用一级、二级数据项。";
    /// Rows of a protected dataset would show beside operator-supplied data.
    RowsWithExternal = "confine.rows-with-external", "AO-16(3)",
        "a statement over operator-supplied and protected data never shows rows.",
        "同时使用自有数据与受保护数据的语句不得显示逐行结果。",
        "Aggregate the rows.", "请改为聚合查询。";
    /// A computed value inside an aggregate could stand for a condition that few rows meet.
    SingledOut = "confine.singled-out", "CG-B 汇聚 L2-4",
        "where rows may not show, this value inside an aggregate could single out a few of them.",
        "在不允许显示逐行结果时，聚合函数中的这一计算值可能突出少数记录。",
        "Aggregate the item itself, put the condition into FILTER or a CASE right inside the aggregate, or group by the value.",
        "请直接对数据项聚合，将条件写入 FILTER 或聚合函数内的 CASE，或按该值分组。";
    /// Rows that may not show, multiplied.
    Multiplied = "confine.multiplied", "CG-B 汇聚 L2-4",
        "where rows may not show, what is aggregated holds each of them once: how often a join repeats one would say what it meets.",
        "在不允许显示逐行结果时，参与聚合的每条记录只能出现一次；关联造成的重复次数会透露该记录的内容。",
        "Join on a column that is unique on the other side, or use EXISTS or IN.",
        "请按另一侧唯一的列进行关联，或使用 EXISTS、IN。";
    /// Rows of nobody kept beside rows that may not show.
    FilledIn = "confine.filled-in", "CG-B 汇聚 L2-4",
        "where rows may not show, an outer join keeps no rows of open data that they do not meet.",
        "在不允许显示逐行结果时，外连接不得保留未与其匹配的公开数据行。",
        "Aggregate the protected rows first and join the groups, or use an inner join.",
        "请先聚合受保护的记录再关联分组，或使用内连接。";
    /// A mean of decimals that may have no room.
    MeanOfDecimals = "confine.mean-of-decimals", "CG-B 汇聚 L2-4",
        "over protected data no mean is computed of decimals of more than 24 digits: one that has no room would be an error.",
        "对受保护数据，不对超过 24 位的十进制数求平均值，以免因位数不足而出错。",
        "Cast the value to DOUBLE or to a shorter DECIMAL first.",
        "请先将该值转换为 DOUBLE 或位数较少的 DECIMAL。";
    /// Some of the rows that may not show.
    LimitOverRows = "confine.limit-over-rows", "CG-B 汇聚 L2-4",
        "where rows may not show, a limit among them would let what one row says decide which others count.",
        "在不允许显示逐行结果时，对记录使用 LIMIT 或 OFFSET 会使一条记录的内容决定计入哪些其他记录。",
        "Aggregate first and limit the groups.",
        "请先聚合，再对分组使用 LIMIT 或 OFFSET。";
    /// A window over rows that may not show, of more than one subject.
    WindowOverRows = "confine.window-over-rows", "CG-B 汇聚 L2-4",
        "where rows may not show, a window over them would carry what one row says into others.",
        "在不允许显示逐行结果时，跨个人的窗口函数会把一条记录的内容带入其他记录。",
        "Put the subject's token into PARTITION BY, or aggregate first and take the window over the groups.",
        "请在 PARTITION BY 中加入主体令牌，或先聚合再对分组使用窗口函数。";
    /// A raw aggregate per subject, other than where an outer aggregate takes it in.
    HeldValue = "confine.held-value", "CG-B 汇聚 L2-4",
        "a raw value per subject is computed, and used other than bare in an outer SUM, AVG or COUNT.",
        "语句按个人计算了原始值，且未直接用于外层的 SUM、AVG 或 COUNT。",
        "Take SUM or COUNT of the item by subject alone, and put it bare into an outer SUM, AVG or COUNT.",
        "请仅按个人对数据项求 SUM 或 COUNT，并将结果直接放入外层的 SUM、AVG 或 COUNT。";
    /// No output column is left.
    NothingShown = "confine.nothing-shown", "CG-B 汇聚 L2-4",
        "every column of the result is suppressed.", "结果中的所有字段均不予显示。",
        "Aggregate the item, or choose shown items.", "请对该数据项进行聚合，或选择可见数据项。";
    /// A correlated side is not tied to a protected outer row.
    UntiedSide = "confine.untied-side", "CG-B 汇聚 L2-4",
        "a subquery over protected data is not tied to the outer row by the subject.",
        "受保护数据上的子查询未按主体与外层行关联。",
        "Correlate the subquery by the subject's token, or join aggregated results.",
        "请按主体令牌关联子查询，或连接已聚合的结果。";
    /// Operator-supplied rows would say which protected rows are left out.
    ExternalExclusion = "confine.external-exclusion", "AO-16(3)",
        "operator-supplied data would choose which protected rows are left out.",
        "自有数据不得用于挑选要排除的受保护记录。",
        "Join to the rows that match, or filter by shown items.", "请改为连接匹配的记录，或按可见数据项筛选。";
    /// Operator-supplied identifiers are compared with people a protected dataset is not about.
    ExternalTie = "confine.external-tie", "AO-16(3)",
        "identifiers of operator-supplied data can only be joined to the people a dataset is about.",
        "自有数据的标识符只能与数据集的主体标识连接。",
        "Join to the dataset's subject.", "请改为与数据集的主体标识连接。";
    /// A construct that has no rule yet over groups that owe a threshold.
    NoRule = "confine.no-rule", "CG-B 汇聚 L2-4",
        "this use of groups that owe a threshold has no rule.", "对受阈值约束的分组的这种用法没有规则。",
        "Take the groups as the result, or show rows first.", "请直接以分组作为结果。";
    /// Rows to be kept could not say whose they are.
    KeepNoSubject = "workspace.no-subject", "CG-B 汇聚 L2-4",
        "kept rows of people are each made of one row of one protected dataset; this statement makes them otherwise.",
        "留存的个人记录须逐行来自同一受保护数据集；该语句不符合。",
        "Keep a projection or filter of one protected dataset, joined at most to unprotected data; or keep an aggregate whose every group meets the threshold. Sort, limit, group and count what is kept when you query it.",
        "请只留存一个受保护数据集的投影或筛选（最多连接非受保护数据），或留存每组均达到阈值的聚合；排序、限量、分组和计数请在查询留存结果时进行。";
    /// A join could make several rows of one.
    KeepMultiplied = "workspace.multiplied", "CG-B 汇聚 L2-4",
        "a join could make several rows of one, and each kept row stands for one.",
        "连接可能使一行变为多行，而留存的每一行只能对应一行。",
        "Join on an item that is unique in the other dataset, or use EXISTS.",
        "请按另一数据集中唯一的数据项连接，或改用 EXISTS。";
    /// Groups of rows that show owe no threshold, and so cannot lose their people.
    KeepUnthresholded = "workspace.unthresholded", "CG-B 汇聚 L2-4",
        "where rows may show, groups of them owe no threshold, and are not kept without their people.",
        "允许显示逐行结果时，其分组不受阈值约束，不能脱离主体留存。",
        "Keep the rows, and group them when you query what is kept.",
        "请留存逐行结果，查询留存结果时再分组。";
    /// Tokens of people in what is no longer counted.
    KeepTokens = "workspace.tokens", "CG-B 汇聚 L2-4",
        "tokens stand among answers over protected data, where nobody would be counted by them.",
        "受保护数据的答案中含有令牌，留存后将无法按其计数。",
        "Leave the token out, or keep rows and group them when you query what is kept.",
        "请去掉令牌，或留存逐行结果并在查询时分组。";
    /// Columns without a name, or two of one.
    KeepNames = "workspace.column-names", "AO-14",
        "every column of a kept result has a name of its own: 1 to 64 letters, digits, `_` or `-`.",
        "留存结果的每个字段须有互不相同的名称：1 至 64 个字母、数字、`_` 或 `-`。",
        "Name each column with AS.", "请用 AS 为每个字段命名。";
    /// The policies do not let an item be kept.
    KeepItem = "workspace.item-not-kept", "AO-14",
        "an item that the statement reads may not be kept inside.", "语句使用的某个数据项不得留存。",
        "Leave the item out.", "请去掉该数据项。";
    /// The dataset has no data.
    NoData = "confine.no-data", "PD-13",
        "a dataset of the statement has no data yet.", "语句使用的某个数据集尚无数据。",
        "Wait until the provider has loaded the dataset.", "请等待提供单位装载数据。";
    /// The permit is for the results of one product, and the plan is not the one that was approved.
    NotTheProduct = "confine.not-the-product", "AO-17",
        "this is not the plan of the product that was approved.", "该语句不是已审核通过的公共数据产品的计划。",
        "Register what has changed since as a product of its own.", "请将变更后的语句另行登记为产品。";
}
