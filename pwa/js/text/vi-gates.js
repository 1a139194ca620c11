// Vietnamese of the pages shown instead of the app.

/** @type {Record<string, string>} */
export const gates = {
  "gate.inapp.title": "Mở bằng trình duyệt của máy",
  "gate.inapp.text": "Trang này đang mở bên trong {app}. Ở đây ảnh có thể bị mất, nên xin mở bằng trình duyệt.",
  "gate.inapp.android": "Mở bằng Chrome", "gate.inapp.ios": "Bấm nút ⋯ hoặc biểu tượng la bàn, rồi chọn “Mở bằng Safari”.",
  "gate.copy": "Sao chép đường dẫn", "gate.copied": "Đã sao chép", "gate.old.title": "Trình duyệt đã cũ",
  "gate.old.text": "Xin cập nhật Chrome trong CH Play, hoặc cập nhật iOS lên 15.4 trở lên, rồi mở lại trang này.",
  "gate.insecure.title": "Đường dẫn chưa an toàn",
  "gate.insecure.text": "Trang này mở bằng http nên máy không cho chụp và lưu ảnh. Chưa có gì được lưu ở đây. Xin mở đường dẫn bắt đầu bằng https do xã gửi.",
  "gate.ios.title": "Cài ra màn hình chính trước",
  "gate.ios.text": "Trên iPhone, ảnh chưa gửi để trong Safari có thể bị xoá sau 7 ngày. Xin cài ứng dụng rồi nhập mã trong ứng dụng đó.",
  "gate.ios.1": "Bấm nút Chia sẻ ở cuối màn hình Safari.", "gate.ios.2": "Chọn “Thêm vào MH chính”.",
  "gate.ios.3": "Mở “Minh chứng” ở màn hình chính và nhập mã.", "gate.ios.anyway": "Tiếp tục ở đây khi có sóng",
  "gate.storage.title": "Không mở được bộ nhớ",
  "gate.storage.text": "Trình duyệt không cho lưu dữ liệu. Xin tắt chế độ ẩn danh hoặc giải phóng bộ nhớ, rồi mở lại.",
};
