/// The surnames of nine in ten people, and more. Source: 公安部全国姓名报告, the most frequent.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜\
    叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严\
    覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪\
    梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连\
    芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘\
    池查麻苑迟邝肖萧";
/// Surnames of two characters.
const DOUBLE: [&str; 12] = [
    "欧阳", "上官", "司马", "诸葛", "司徒", "皇甫", "尉迟", "慕容", "令狐", "夏侯", "东方", "端木",
];
/// What places, bodies, degrees and the like end with; no given name does.
const NOT_GIVEN: &str = "市区县镇乡村路街巷弄号局院校司厂店部室科股站所园业类型层级族省州旗港店行社会处队组\
    中案式物品费额率数量色节期务路线法性度员师长工";
/// What number plates begin with.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使";
const REGIONS: [char; 8] = ['省', '市', '区', '县', '旗', '镇', '乡', '州'];
const STREETS: [char; 9] = ['路', '街', '道', '巷', '弄', '村', '组', '苑', '里'];
const HOUSES: [char; 8] = ['号', '栋', '幢', '室', '楼', '弄', '座', '户'];

fn is_han(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}

/// A surname and one or two characters, or parts with a dot between them as other peoples write names.
pub(super) fn is_person_name(text: &str) -> bool {
    if let Some((first, last)) = text.split_once('·') {
        let is_part =
            |part: &str| (2..=6).contains(&part.chars().count()) && part.chars().all(is_han);
        return is_part(first) && is_part(last);
    }
    let length = text.chars().count();
    let given = text
        .chars()
        .next_back()
        .is_some_and(|last| !NOT_GIVEN.contains(last));
    if !given || !text.chars().all(is_han) {
        return false;
    }
    let double = DOUBLE.iter().any(|surname| text.starts_with(surname));
    let single = text
        .chars()
        .next()
        .is_some_and(|first| SURNAMES.contains(first));
    (double && (3..=4).contains(&length)) || (single && (2..=3).contains(&length))
}

/// A street and a house, or a region and a house, or streets in several regions.
pub(super) fn is_address(text: &str) -> bool {
    let count = |of: &[char]| text.chars().filter(|letter| of.contains(letter)).count();
    let (regions, streets) = (count(&REGIONS), count(&STREETS));
    let mut before = ' ';
    let housed = text.chars().any(|letter| {
        let numbered = before.is_ascii_digit() || "一二三四五六七八九十甲乙丙".contains(before);
        before = letter;
        numbered && HOUSES.contains(&letter)
    });
    let long = text.chars().count() >= 5;
    long && ((housed && streets + regions > 0) || (regions >= 2 && streets > 0))
}

/// A province, a letter, and five or six letters and digits, the last perhaps a character.
pub(super) fn is_plate(text: &str) -> bool {
    let letters: Vec<char> = text
        .chars()
        .filter(|c| !matches!(c, '·' | '-' | ' '))
        .collect();
    let Some(([province, city], rest)) = letters.split_first_chunk::<2>() else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else {
        return false;
    };
    let plain = |letter: &char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
    PROVINCES.contains(*province)
        && city.is_ascii_uppercase()
        && (5..=6).contains(&rest.len())
        && middle.iter().all(plain)
        && (plain(last) || "挂学警港澳领".contains(*last))
}
