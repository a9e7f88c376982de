# build/conformance FILE...: recorded answers of Apache Kafka against ours. Every file in
# tests/conformance/data is one CTest test.
file(GLOB CONFORMANCE_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/conformance/*.c)
add_executable(conformance ${CONFORMANCE_SOURCES})
target_link_libraries(conformance PRIVATE cohort_harness cohort_model PkgConfig::JANSSON ZLIB::ZLIB)
file(GLOB CONFORMANCE_DATA CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/conformance/data/*.jsonl.gz)
foreach(file ${CONFORMANCE_DATA})
    get_filename_component(name ${file} NAME)
    string(REPLACE ".jsonl.gz" "" name ${name})
    add_test(NAME conformance_${name} COMMAND conformance ${file})
    set_tests_properties(conformance_${name} PROPERTIES TIMEOUT 300)
endforeach()
