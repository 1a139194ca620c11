// Ready sentences for declarations. They become part of the dossier, so they stay Vietnamese whatever the interface speaks.

/** @type {Record<number, string[]>} */
export const SENTENCES = {
  1: ["Hằng ngày xem tin tức, thời tiết, giá nông sản trên điện thoại.", "Đọc sách, báo ở nhà văn hoá thôn.", "Xem chương trình khuyến nông trên ti vi.", "Nghe loa truyền thanh của xã."],
  2: ["Có kế hoạch học nghề trong năm.", "Đã học lớp tập huấn do xã mở.", "Tự học cách làm mới rồi áp dụng vào việc nhà.", "Ghi sổ những việc cần học."],
  3: ["Dự họp thôn đầy đủ.", "Tham gia văn nghệ, thể thao của thôn.", "Tham gia làm đường, vệ sinh chung.", "Tham gia lớp học cộng đồng."],
  4: ["Nhắc con cháu học bài mỗi tối.", "Góp vào quỹ khuyến học.", "Động viên người nhà đi học nghề.", "Chỉ lại việc cho người cùng làm."],
  5: ["Dùng điện thoại để trả tiền.", "Đã nộp hồ sơ dịch vụ công qua mạng.", "Gọi video với người thân ở xa.", "Giúp người khác cài VNeID."],
  6: ["Dùng tốt tiếng Việt trong công việc.", "Biết cả tiếng dân tộc và tiếng Việt.", "Đang học tiếng nước ngoài theo yêu cầu công việc.", "Biết một số từ tiếng nước ngoài trên nhãn hàng, máy móc."],
  7: ["Tính toán chi phí trước khi trồng trọt, chăn nuôi.", "Đã cải tiến công cụ cho đỡ tốn sức.", "Ghi chép thu chi của gia đình.", "Bàn cách làm mới để tăng năng suất."],
  8: ["Góp ý xây dựng trong họp thôn.", "Kiểm tra tin trên mạng trước khi tin hoặc chia sẻ.", "So sánh nhiều cách trước khi quyết định.", "Nhận ra và nhắc người khác tránh lừa đảo qua mạng."],
  9: ["Sống hoà thuận với hàng xóm.", "Đã giúp hoà giải mâu thuẫn trong thôn.", "Thăm hỏi người ốm, người già.", "Gia đình không có cãi vã lớn."],
  10: ["Đổi công, giúp nhau mùa vụ.", "Chia sẻ giống và cách làm với bà con.", "Tham gia tổ hợp tác, hợp tác xã.", "Cùng làm việc chung của thôn."],
};
