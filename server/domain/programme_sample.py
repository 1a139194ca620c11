"""Sample indicators and guides for a new programme year, marked as samples until staff replace them.

Numbering and the 4 + 4 + 2 split are the framework's (decision 244/QĐ-KHVN); the words are ours.
"""

from typing import Any

COMPETENCES = {
    1: "I. Tự học, học tập suốt đời",
    2: "II. Sử dụng công cụ học tập, làm việc",
    3: "III. Quan hệ xã hội",
}
BANDS = ("1-4", "5-6", "7-8", "9-10")
DIGITAL_KINDS = ("vneid", "public_service", "payment", "video_call", "online_selling", "digital_class", "helping")

# no: (competence, title, what it asks, four bands, photos that show it)
_ROWS: dict[int, tuple[int, str, str, tuple[str, str, str, str], str]] = {
    1: (1, "Đọc và cập nhật thông tin", "Tìm đọc, nghe tin tức và kiến thức qua sách, báo, đài, điện thoại.",
        ("Ít khi đọc hoặc nghe tin.", "Thỉnh thoảng đọc hoặc nghe tin.",
         "Đọc, nghe đều hằng tuần và làm theo được.", "Đọc, nghe hằng ngày, kể lại cho người khác cùng biết."),
        "Ảnh đang đọc sách, báo; màn hình trang tin đã đọc; góc sách ở nhà."),
    2: (1, "Kế hoạch học tập", "Tự đặt kế hoạch học để làm tốt việc của mình.",
        ("Chưa có kế hoạch.", "Có ý định học, chưa làm đều.",
         "Có kế hoạch và làm được phần lớn.", "Có kế hoạch rõ, làm đủ, thấy kết quả trong việc làm."),
        "Ảnh tờ kế hoạch, sổ ghi chép, lớp tập huấn đã dự."),
    3: (1, "Tham gia hoạt động cộng đồng", "Sắp xếp việc để dự hoạt động văn hoá, giáo dục của thôn, xã.",
        ("Hiếm khi tham gia.", "Tham gia khi được nhắc.",
         "Tham gia đều các buổi của thôn.", "Tham gia đều và đứng ra cùng tổ chức."),
        "Ảnh buổi họp thôn, ngày hội, lớp học cộng đồng, dọn vệ sinh."),
    4: (1, "Khuyến khích người thân, đồng nghiệp học tập", "Động viên, giúp người nhà và người cùng làm học tập.",
        ("Chưa động viên ai.", "Có nhắc con cháu học.",
         "Thường xuyên động viên và tạo điều kiện cho người nhà học.", "Giúp được nhiều người trong và ngoài nhà cùng học."),
        "Ảnh học cùng con cháu, góc học tập, giấy khen của người nhà."),
    5: (2, "Sử dụng công nghệ thông tin", "Dùng điện thoại, máy tính cho việc làm và đời sống.",
        ("Mới nghe, gọi được.", "Dùng được khi có người chỉ.",
         "Tự làm được việc trên điện thoại: nộp hồ sơ, trả tiền, tra cứu.", "Làm thạo và chỉ lại cho người khác."),
        "Ảnh cài VNeID, nộp dịch vụ công, trả tiền bằng điện thoại, gọi video, bán hàng qua mạng."),
    6: (2, "Sử dụng ngôn ngữ, ngoại ngữ", "Dùng ngôn ngữ, ngoại ngữ theo yêu cầu công việc.",
        ("Còn gặp khó khi nói, viết tiếng phổ thông.", "Nói, viết được việc hằng ngày.",
         "Dùng tốt trong công việc, biết thêm một thứ tiếng nữa.", "Dùng thạo ngoại ngữ hoặc dạy lại được tiếng dân tộc."),
        "Ảnh vở học, lớp học tiếng, tài liệu đã đọc, chứng chỉ."),
    7: (2, "Tính toán, cải tiến công việc", "Biết tính toán để việc làm tốt hơn, đỡ tốn hơn.",
        ("Làm theo thói quen.", "Có ghi chép thu chi đơn giản.",
         "Tính toán trước khi làm, có cải tiến nhỏ.", "Có cách làm mới, tiết kiệm rõ, người khác làm theo."),
        "Ảnh sổ thu chi, cách làm mới, dụng cụ tự cải tiến."),
    8: (2, "Tư duy biện chứng, phản biện", "Suy nghĩ kỹ, góp ý đúng trong công việc và việc chung.",
        ("Ít khi nêu ý kiến.", "Có ý kiến khi được hỏi.",
         "Góp ý có lý lẽ trong họp thôn, nơi làm việc.", "Góp ý được mọi người tin, giúp giải quyết việc chung."),
        "Ảnh phát biểu trong buổi họp, bản góp ý, biên bản."),
    9: (3, "Xây dựng quan hệ thân thiện", "Giữ quan hệ tốt, giúp hoà giải khi có chuyện không vui.",
        ("Còn để xảy ra mâu thuẫn.", "Sống hoà thuận với hàng xóm.",
         "Được hàng xóm, đồng nghiệp quý mến.", "Giúp hoà giải, gắn kết mọi người."),
        "Ảnh thăm hỏi, buổi hoà giải, sinh hoạt chung."),
    10: (3, "Hợp tác, chia sẻ", "Cùng làm, chia sẻ kinh nghiệm và giúp đỡ người khác.",
         ("Thường làm một mình.", "Giúp khi được nhờ.",
          "Chủ động giúp và chia sẻ cách làm.", "Lập nhóm, tổ cùng làm và cùng học."),
         "Ảnh đổi công, tổ hợp tác, chỉ việc cho người khác."),
}  # fmt: skip
_WORK = {1: "việc đồng áng, chăn nuôi, buôn bán nhỏ", 2: "việc xưởng, nghề thợ, sửa chữa", 3: "việc cơ quan, quản lý"}


def indicator(number: int) -> dict[str, Any]:
    """One indicator's data as phones get it, with a guide for each of the three groups [II.1b]."""
    competence, title, asks, bands, photos = _ROWS[number]
    return {
        "no": number,
        "title": title,
        "competence": COMPETENCES[competence],
        "asks": asks,
        "digital": number == 5,
        "kinds": list(DIGITAL_KINDS) if number == 5 else [],
        "sample": True,
        "guides": {
            str(group): {**dict(zip(BANDS, bands, strict=True)), "photos": photos, "work": work}
            for group, work in _WORK.items()
        },
    }
