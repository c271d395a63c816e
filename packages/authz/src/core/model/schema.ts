/** The types that every access model has, in Cedar's schema language; an organisation's own come after it. */
export const BASE_SCHEMA = `namespace BF {
  entity TrustDomain = { "relation": String };
  entity IdPath in [IdPath, TrustDomain];
  entity Team;
  entity Workload in [IdPath, TrustDomain, Team] = { "kind": String, "attested": Set<String> };
  entity Group in [Group];
  entity User in [Group, Team];
  entity Device in [Group] = { "owner"?: User, "posture": Set<String> };
  entity Tag;
  entity Service in [Team] = { "data": Set<String> };
  entity Route in [Service, Team, Tag] = { "subject": String };
  entity Table in [Service, Team, Tag];
  entity Topic in [Service, Team, Tag];

  type OnBehalfOf = {
    "user"?: User,
    "chain": Set<Workload>,
    "depth": Long,
    "scopes": Set<String>,
    "approvedAgo"?: duration,
  };
  type Request = {
    "now": datetime,
    "tls": Bool,
    "sourceIp"?: ipaddr,
    "device"?: Device,
    "obo"?: OnBehalfOf,
  };

  action "read", "write", "admin";
  action "http.GET", "http.HEAD" in ["read"]
    appliesTo { principal: [Workload, User], resource: [Route], context: Request };
  action "http.POST", "http.PUT", "http.PATCH", "http.DELETE" in ["write"]
    appliesTo { principal: [Workload, User], resource: [Route], context: Request };
  action "grpc.call"
    appliesTo { principal: [Workload, User], resource: [Route], context: Request };
  action "db.select" in ["read"]
    appliesTo { principal: [Workload, User], resource: [Table], context: Request };
  action "db.write" in ["write"]
    appliesTo { principal: [Workload, User], resource: [Table], context: Request };
  action "topic.consume" in ["read"]
    appliesTo { principal: [Workload, User], resource: [Topic], context: Request };
  action "topic.publish" in ["write"]
    appliesTo { principal: [Workload, User], resource: [Topic], context: Request };
  action "net.connect"
    appliesTo { principal: [Workload, Device], resource: [Service], context: Request };
}
`;
