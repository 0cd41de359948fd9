def test_smoke(admin):
    print(admin.create({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}))
def test_smoke2(submitter, viewer, namespace_admin):
    from support.builders import a_job_manifest
    print(submitter.create(a_job_manifest()))
    print(viewer.run("get","pj").stdout)
    print(submitter.refusal("create", "-f","-",given=a_job_manifest("j2",cancel=True)))
    print(namespace_admin.create(a_job_manifest("j3",cancel=True)))
