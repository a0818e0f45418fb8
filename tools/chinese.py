"""Write the outline of the lessons in Chinese into `README.zh-CN.md`, which is a page of the site, too.

The lessons are in English; what each is about is said here in Chinese. The order, the links and the minutes
come from the lessons.
"""

from collections.abc import Sequence

from tools.course import BEGIN, END, ROOT, Lesson

CHINESE = ROOT / "README.zh-CN.md"
ABOUT = {
    "00": "从这里开始：看完一整段会话，检查你的环境",
    "01": "让轮询、长轮询、SSE 和 WebSocket 赛跑，量出字节数和延迟",
    "02": "亲手完成握手，写一个会判断请求的服务器",
    "03": "编码和解码帧；看掩码防住了什么攻击",
    "04": "心跳与关闭：发现已经消失的对端，说清连接为何结束",
    "05": "把回显服务器写三遍，让真实的浏览器与它通话",
    "06": "由服务器主动推送：时钟与行情，客户端再慢也不积压",
    "07": "写一个不会被慢读者拖住的聊天室",
    "08": "安全：Origin、票据、限流和 TLS；亲眼看一次跨站劫持",
    "09": "压缩：压缩比、内存和时间，拦住压缩炸弹",
    "10": "会自己回来、一条消息也不丢的客户端",
    "11": "多进程聊天：杀掉一个进程，数一数丢了什么",
    "12": "写出你自己的 serve()，通过 247 项一致性测试",
}


def outline(course: Sequence[Lesson]) -> str:
    """Return the table of lessons in Chinese."""
    rows = ["| 课 | 内容 | 分钟 |", "|---|---|--:|"]
    for each in course:
        about = ABOUT.get(each.number, each.promise)
        rows.append(f"| [{each.title}](notebooks/{each.path.name}) | {about} | {each.minutes} |")
    return "\n".join(rows) + "\n"


def renewed(text: str, course: Sequence[Lesson]) -> str:
    """Return the text of the Chinese page with the outline of the lessons as they are."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + outline(course) + END + rest.partition(END)[2]


def write(course: Sequence[Lesson]) -> None:
    """Write the outline into the Chinese page."""
    text = renewed(CHINESE.read_text(encoding="utf-8"), course)
    CHINESE.write_text(text, encoding="utf-8", newline="\n")
