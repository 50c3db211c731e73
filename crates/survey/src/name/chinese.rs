use super::{Named, Note};
use terms::Kind;

/// Words that say what a column is about wherever they stand.
const WORDS: &[(Kind, Note, &[&str])] = &[
    (
        Kind::ResidentId,
        Note::Person,
        &[
            "身份证",
            "身份证号",
            "身份证号码",
            "证件号",
            "证件号码",
            "公民身份号码",
            "身份号码",
            "身份证件号码",
            "护照号",
            "护照号码",
            "通行证号",
            "通行证号码",
        ],
    ),
    (
        Kind::PersonName,
        Note::Person,
        &[
            "姓名",
            "名字",
            "联系人",
            "负责人",
            "法定代表人",
            "法人代表",
            "户主",
            "户名",
            "父亲",
            "母亲",
            "监护人",
            "配偶",
            "经办人",
            "申请人",
            "持卡人",
            "收件人",
            "曾用名",
        ],
    ),
    (
        Kind::Phone,
        Note::None,
        &[
            "手机",
            "手机号",
            "手机号码",
            "电话",
            "电话号码",
            "联系方式",
            "座机",
            "传真",
        ],
    ),
    (
        Kind::BankAccount,
        Note::None,
        &[
            "银行卡",
            "卡号",
            "账号",
            "帐号",
            "账户",
            "帐户",
            "银行账号",
            "公积金账号",
        ],
    ),
    (
        Kind::SocialAccount,
        Note::None,
        &[
            "社保卡号",
            "社保号",
            "社会保障号",
            "社会保障号码",
            "社会保障卡号",
            "医保卡号",
            "医保号",
            "社保编号",
            "医保编号",
            "微信",
            "微信号",
            "微博",
            "支付宝",
            "用户名",
            "登录名",
            "昵称",
        ],
    ),
    (
        Kind::Email,
        Note::None,
        &[
            "邮箱",
            "电子邮件",
            "邮件地址",
            "邮箱地址",
            "电子邮件地址",
            "电邮",
        ],
    ),
    (
        Kind::Address,
        Note::None,
        &[
            "地址",
            "住址",
            "住所",
            "居住地",
            "户籍地",
            "户口所在地",
            "门牌",
            "坐落",
            "场所",
            "经度",
            "纬度",
            "经纬度",
        ],
    ),
    (
        Kind::Plate,
        Note::None,
        &["车牌", "车牌号", "车牌号码", "号牌号码", "车号"],
    ),
    (
        Kind::Date,
        Note::Birth,
        &[
            "出生日期",
            "出生年月",
            "出生年月日",
            "出生时间",
            "生日",
            "出生",
        ],
    ),
    (
        Kind::Date,
        Note::None,
        &["日期", "时间", "年月", "年份", "年度", "月份"],
    ),
    (
        Kind::Amount,
        Note::None,
        &[
            "金额", "工资", "薪资", "薪酬", "收入", "支出", "价格", "单价", "总价", "费用", "余额",
            "税款", "补贴", "补助", "津贴", "贷款", "资产", "负债", "产值", "成本", "奖金", "资本",
            "罚款", "押金", "基数",
        ],
    ),
    (
        Kind::Ratio,
        Note::None,
        &["比例", "比率", "占比", "百分比", "比重", "利率", "税率"],
    ),
    (
        Kind::Count,
        Note::None,
        &[
            "人数", "户数", "数量", "次数", "个数", "件数", "天数", "人口", "年龄", "工龄", "年限",
            "时长",
        ],
    ),
    (
        Kind::Code,
        Note::None,
        &[
            "性别",
            "民族",
            "学历",
            "学位",
            "婚姻",
            "婚姻状况",
            "政治面貌",
            "职业",
            "职务",
            "职称",
            "行业",
            "行政区划",
            "街道",
            "国籍",
            "籍贯",
            "类型",
            "类别",
            "种类",
            "分类",
            "状态",
            "标志",
            "标识符",
            "是否",
            "代码",
            "编码",
            "级别",
            "等级",
            "名称",
            "科室",
            "医院",
            "单位",
            "学校",
            "部门",
            "专业",
            "机构",
            "城市",
            "省份",
            "地区",
            "区域",
            "险种",
            "网点",
            "管理部",
            "归属地",
            "性质",
        ],
    ),
    (
        Kind::SubjectId,
        Note::Person,
        &[
            "人员编号",
            "人员编码",
            "个人编号",
            "患者编号",
            "病历号",
            "住院号",
            "门诊号",
            "就诊卡号",
            "学号",
            "学籍号",
            "工号",
            "职工编号",
            "居民编号",
            "档案号",
        ],
    ),
    (
        Kind::SubjectId,
        Note::None,
        &[
            "编号",
            "流水号",
            "主键",
            "序号",
            "户号",
            "单号",
            "合同号",
            "标识",
            "统一社会信用代码",
            "信用代码",
            "组织机构代码",
            "单位编码",
            "企业编码",
        ],
    ),
    (
        Kind::FreeText,
        Note::Special,
        &[
            "诊断",
            "诊断结果",
            "病史",
            "主诉",
            "病历",
            "病情",
            "疾病",
            "宗教",
            "信仰",
            "基因",
            "指纹",
            "人脸",
            "虹膜",
            "犯罪",
            "违法",
            "刑罚",
            "残疾",
        ],
    ),
    (
        Kind::FreeText,
        Note::None,
        &[
            "备注", "说明", "描述", "意见", "内容", "摘要", "事由", "原因", "简介", "评价", "留言",
            "事实",
        ],
    ),
];

/// Words, often of one character, that say it only at the end of a name.
const ENDINGS: &[(Kind, Note, &[&str])] = &[
    (Kind::PersonName, Note::Person, &["姓", "人"]),
    (
        Kind::Amount,
        Note::None,
        &["额", "费", "价", "款", "税", "元", "金"],
    ),
    (Kind::Ratio, Note::None, &["率"]),
    (Kind::Count, Note::None, &["数", "量"]),
    (Kind::Date, Note::None, &["日", "年", "月"]),
    (
        Kind::Code,
        Note::None,
        &["省", "市", "区", "县", "镇", "乡", "型", "类"],
    ),
    (
        Kind::SubjectId,
        Note::None,
        &["号", "号码", "码", "ID", "id"],
    ),
];

/// What a name with Chinese in it says.
pub(super) fn named(name: &str) -> Option<Named> {
    let words = of(WORDS, |word| Some(name.rfind(word)? + word.len()));
    words
        .or_else(|| of(ENDINGS, |word| name.ends_with(word).then_some(name.len())))
        .filter(|_| !name.is_ascii())
}

/// The word that ends last, the longer of two.
fn of(words: &[(Kind, Note, &[&str])], end_of: impl Fn(&str) -> Option<usize>) -> Option<Named> {
    let found = words.iter().flat_map(|(kind, note, words)| {
        let named = Named {
            kind: *kind,
            note: *note,
        };
        let placed = |word: &&str| Some(((end_of(word)?, word.len()), named));
        words.iter().filter_map(placed).collect::<Vec<_>>()
    });
    found
        .max_by_key(|(place, _)| *place)
        .map(|(_, named)| named)
}
