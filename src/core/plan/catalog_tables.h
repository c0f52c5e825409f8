#pragma once
/// The kinds that the design names and that no provider of this build brings: so that a plan which
/// uses them can be read, checked and shown. Pure data.

#include "core/plan/catalog.h"

namespace lifeboat::plan {

std::vector<KindSpec> placeholder_kinds();
std::vector<KindSpec> aws_kinds();
std::vector<KindSpec> cluster_kinds();  ///< Kubernetes, Terraform, git, Elasticsearch, DNS
std::vector<KindSpec> channel_kinds();

/// Verbs that mean the same for every kind that has them; the caller adds what differs.
namespace verbs {
VerbSpec start();
VerbSpec stop();
VerbSpec restore();
VerbSpec promote();
VerbSpec fence();
VerbSpec verify();
VerbSpec smoke();
VerbSpec monitor();
VerbSpec repoint();
VerbSpec redirect();
VerbSpec scale();
VerbSpec isolate();
VerbSpec release();
VerbSpec preserve();
VerbSpec provision();
VerbSpec deploy();
VerbSpec restore_secrets();
VerbSpec drain();
VerbSpec backup();
VerbSpec rebuild_protection();
/// `verb` with more arguments.
VerbSpec with(VerbSpec verb, std::vector<SettingSpec> arguments);
/// `verb` with a declared estimate of its time.
VerbSpec taking(VerbSpec verb, Duration estimate);
}  // namespace verbs

}  // namespace lifeboat::plan
