#pragma once

#include "libagent/core/json.hpp"
#include "libagent/core/secret.hpp"
#include "libagent/core/text_finder.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Keeps secrets out of texts by their values, in each of their forms (`forms_of`). There are two ways: to
/// hide them, which is for whoever reads the text; and to seal them, which can be undone by who knows the
/// secrets. Secrets shorter than `least_secret_size` are left alone. Any thread; a text without secrets
/// costs a search.
class redactor {
public:
  redactor() : redactor(std::vector<secret>()) {}
  /// To be sealed, a secret has to have a name of its own, of letters, digits and "_.-"; one without is only
  /// hidden. Of several secrets with the same value the first counts.
  explicit redactor(const std::vector<secret>& secrets);

  bool empty() const noexcept { return forms_.empty(); }

  /// Each secret is "[redacted]".
  std::string hide(std::string text) const;
  /// The same in the texts, keys and numbers of a JSON text, which stays one, as do JSON texts inside it; a
  /// number with a secret becomes a text. What is no JSON is a text.
  std::string hide_json(std::string text) const;
  json hide_tree(const json& value) const;

  /// Each secret is "[redacted:NAME]", or "[redacted:NAME/2]" for its second form, and so on; "/1" is for one
  /// as it is that would have to be escaped in JSON. Sealed texts are safe inside JSON texts, whatever the
  /// text: `unseal(seal(text)) == text`.
  std::string seal(std::string text) const;
  /// Whether sealing would change the text.
  bool needs_seal(std::string_view text) const { return sealable_.find(text).has_value(); }
  /// Secrets that are not known any more stay as they are sealed; of those that have another value by now it
  /// is that.
  std::string unseal(std::string text) const;
  /// The same of a JSON text, which stays one whatever the secrets' values are by now.
  std::string unseal_json(std::string text) const;

  /// Bytes at the end of a text that may be the beginning of a secret.
  std::size_t begun_at_end(std::string_view text) const { return forms_.begun_at_end(text); }

private:
  struct sealed_form {
    std::string plain;
    std::string in_json;
  };

  std::string unseal(std::string text, std::string sealed_form::*which) const;
  /// Of a text inside JSON.
  std::string hide_inner(const std::string& text) const;

  text_finder forms_;
  /// Those with a name, and the beginning of a seal.
  text_finder sealable_;
  std::vector<std::string> seals_;
  std::map<std::string, sealed_form, std::less<>> by_seal_;
};

/// Never null.
using redactor_ptr = std::shared_ptr<const redactor>;
/// Leaves everything as it is.
redactor_ptr nothing_to_hide();

/// A text that comes in pieces: what may be the beginning of a secret is held back until it is known.
class stream_redactor {
public:
  /// What can be told by now; may be empty.
  std::string take(std::string_view piece, const redactor& with);
  /// The rest.
  std::string finish(const redactor& with);
  bool holds_back() const noexcept { return !held_.empty(); }

private:
  std::string held_;
};

} // namespace troupe
