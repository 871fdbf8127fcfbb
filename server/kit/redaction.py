"""What must not reach the reviewed side from a citizen's free words (pure)."""

import re

MASK = "▇▇"

_PLATES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
"""The first characters of number plates, GA 36."""
_BETWEEN = re.compile(r"[\s·.\-—_/－\u200b-\u200f\u2060\ufeff]")
_GAP = _BETWEEN.pattern + "{0,2}"
"""What people put between digits, also to get past a filter like this one."""
# Order matters: the longer kinds first, so that an identity number is not masked as a phone number.
_KINDS = (
    re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63})+", re.ASCII),
    re.compile(r"(?<![\dA-Za-z])\d{17}[\dXx](?![\dA-Za-z])"),  # 居民身份证 GB 11643
    re.compile(r"(?<![\dA-Za-z])[0-9A-HJ-NP-RTUWXY]{2}\d{6}[0-9A-HJ-NP-RTUWXY]{10}(?![\dA-Za-z])"),
    re.compile(r"(?<!\d)(?:\d[ -]?){15,18}\d(?!\d)"),  # bank cards, also in groups
    re.compile(rf"(?<!\d)(?:(?:\+|00)?86[)）]?{_GAP})?1{_GAP}[3-9](?:{_GAP}\d){{9}}(?!\d)"),
    re.compile(r"(?<!\d)[(（]?0\d{2,3}[)）]?[ -]?\d{7,8}(?!\d)"),
    re.compile(r"(?:微信|QQ|qq|wx|WX|vx|VX)(?:号码?)?[ ：:]{0,2}(?:是|为)?[ ]?[A-Za-z0-9_-]{5,20}"),
    re.compile(rf"[{_PLATES}][A-Z][ ·]?[A-HJ-NP-Z0-9]{{5,6}}(?![A-Za-z0-9])"),
    re.compile(
        r"(?:办件|受理|回执|案件|流水)(?:编?号|号码)[ ：:]{0,2}(?:是|为)?[ ]?[0-9A-Za-z-]{6,64}"
    ),
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆"
    "汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐"
)
_DOUBLE = "欧阳|司马|上官|诸葛|皇甫|尉迟|公孙|慕容|令狐|司徒|东方|夏侯"
_HAN = "[\u4e00-\u9fff]"
_GIVEN = f"(?:(?![的了着过在是有来去员这那]){_HAN}){{1,2}}"
_NAME = f"(?:{_DOUBLE}|[{_SURNAMES}]){_GIVEN}"
_NAME_ENDS = rf"(?=$|(?!{_HAN}).|的?(?:电话|手机|身份证|号码|微信|先生|女士|住在|家住))"
# Somebody says who he or another one is; a name in any other place is not told from a word.
_INTRODUCED = re.compile(
    rf"((?:我是|我叫|我的名字叫?|本人叫?|名叫)[ ：:]{{0,2}}){_NAME}{_NAME_ENDS}"
    rf"|((?:联系人|姓名|名字|户主|当事人|申请人|经手人)[ ]?(?:是|为|叫|：|:)[ ]?){_HAN}{{2,4}}(?!{_HAN})"
)
_SUSPECT = re.compile(r"[\dA-Za-z@]")
"""Every kind has at least one of these; most words have none."""
_FULL_WIDTH = str.maketrans("０１２３４５６７８９－＠Ｘ", "0123456789-@X")


def redact(words: str, *, known: tuple[str, ...] = ()) -> str:
    """Masks what leads to a person, and the `known` names and numbers of the rater himself."""
    shown = words.translate(_FULL_WIDTH)
    plain = _BETWEEN.sub("", shown).lower()
    said = (s for s in known if len(s) >= 2 and _BETWEEN.sub("", s).lower() in plain)
    for secret in sorted(said, key=len, reverse=True):
        shown = re.sub(_GAP.join(map(re.escape, secret)), MASK, shown, flags=re.IGNORECASE)
    shown = _INTRODUCED.sub(lambda found: (found[1] or found[2]) + MASK, shown)
    if not _SUSPECT.search(shown):
        return shown
    for kind in _KINDS:
        shown = kind.sub(MASK, shown)
    return shown
